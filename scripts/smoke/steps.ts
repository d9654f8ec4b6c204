import { setTimeout as sleep } from 'node:timers/promises';
import { countDown } from '../cli/output.ts';
import { formatBytes } from '../cli/text.ts';
import { fail, problemOf, requireImage, StepSkipped } from './assertions.ts';
import { isCdnHit, isCopyOfMiss, isMiss, isStoredMiss, sharedMaxAgeSeconds } from './client.ts';
import type { Probe } from './probe.ts';
import { formatResponse } from './request.ts';

/*
 * The steps of a smoke test, in the order in which a client meets them. Each returns what was seen when it was as expected, and
 * throws StepFailure or StepSkipped otherwise.
 */

const POLL_MS = 500;
/** How long after its time a CDN may still send its copy of a miss. */
const CDN_DELAY_MS = 20_000;
/** An edge location has several caches, each with a copy of its own. */
const EDGE_ATTEMPTS = 5;
/** How long a CDN keeps the copy of a miss whose response has no `s-maxage`. */
const DEFAULT_MISS_SECONDS = 60;

export async function checkUnsigned({ getUnsigned }: Probe): Promise<string> {
  const response = await getUnsigned();
  if (response.status !== 403 || problemOf(response).code !== 'bad_signature')
    fail(response, 'expected 403 bad_signature: an unsigned URL must not work');
  return '403 bad_signature';
}

export async function checkMiss(probe: Probe): Promise<string> {
  const response = await probe.get();
  const size = await requireImage(response);
  if (!isMiss(response)) fail(response, 'expected a miss (Cache-Status: edgepress; fwd=miss; stored)');
  if (!isStoredMiss(response)) fail(response, 'it was not stored');
  probe.miss = { ...response, atMs: performance.now() };
  return `${formatResponse(response)}, ${size}`;
}

export async function checkNoSecondMiss(probe: Probe): Promise<string> {
  const response = await probe.get();
  await requireImage(response);
  if (isMiss(response)) fail(response, 'it was made a second time');
  return formatResponse(response);
}

export async function checkStored(probe: Probe): Promise<string> {
  const { miss, seen, signal } = probe;
  const seconds = miss && seen.hasCdn ? secondsUntilExpired(miss) : 0;
  if (seconds > 1) await countDown(seconds, 'Waiting for the copy of the miss at the CDN to expire', signal);
  if (signal.aborted) throw new StepSkipped('interrupted');
  const deadlineMs = performance.now() + CDN_DELAY_MS;
  let response = await probe.get();
  while (isCopyOfMiss(response) && performance.now() < deadlineMs && !signal.aborted) {
    await sleep(POLL_MS);
    response = await probe.get();
  }
  await requireImage(response);
  if (isCopyOfMiss(response))
    fail(response, "expected the store's own copy, but it is still the copy of the miss");
  if (!response.headers.has('etag')) fail(response, "expected an ETag, as the store's own copy has");
  probe.stored = response;
  return `${formatResponse(response)}, etag: ${response.headers.get('etag')}`;
}

/** How long the CDN still keeps its copy of the miss. */
function secondsUntilExpired(miss: NonNullable<Probe['miss']>): number {
  const maxAgeSeconds = sharedMaxAgeSeconds(miss) ?? DEFAULT_MISS_SECONDS;
  return Math.max(0, Math.ceil(maxAgeSeconds - (performance.now() - miss.atMs) / 1000));
}

export async function checkEdgeHit(probe: Probe): Promise<string> {
  if (!probe.seen.hasCdn) throw new StepSkipped('no CDN in front');
  for (let attempt = 1; ; attempt++) {
    const response = await probe.get();
    await requireImage(response);
    if (isCdnHit(response)) return formatResponse(response);
    if (attempt === EDGE_ATTEMPTS)
      fail(response, `expected a hit at the CDN (X-Cache: Hit, or an Age), ${attempt} times`);
  }
}

export async function checkHead({ get, stored }: Probe): Promise<string> {
  if (!stored) throw new StepSkipped("there is no store's copy to compare with");
  const response = await get({ method: 'HEAD' });
  if (response.status !== 200 || response.body.length > 0) fail(response, 'expected 200 without a body');
  for (const name of ['content-type', 'etag']) {
    if (response.headers.get(name) !== stored.headers.get(name))
      fail(response, `its ${name} differs from that of GET`);
  }
  const length = response.headers.get('content-length');
  if (length !== String(stored.body.length))
    fail(response, `its content-length is ${length}, where GET has ${stored.body.length} bytes`);
  return `${formatResponse(response)}, content-length of ${formatBytes(stored.body.length)}`;
}

export async function checkNotModified({ get, stored }: Probe): Promise<string> {
  const etag = stored?.headers.get('etag');
  if (etag === undefined || etag === null) throw new StepSkipped('there is no ETag to send');
  const response = await get({ headers: { 'If-None-Match': etag } });
  if (response.status !== 304 || response.body.length > 0) fail(response, 'expected 304 without a body');
  return formatResponse(response);
}

export async function checkMissAfterPurge({ get }: Probe): Promise<string> {
  const response = await get();
  await requireImage(response);
  if (!isMiss(response)) fail(response, 'expected a miss: it is still stored or cached somewhere');
  return formatResponse(response);
}
