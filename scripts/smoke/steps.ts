import { setTimeout as sleep } from 'node:timers/promises';
import { formatBytes } from '../command/amounts.ts';
import { countDown } from '../command/countdown.ts';
import { describeAnswer, isCdnHit, isMade, isStored, saysMiss, sharedSeconds } from './ask.ts';
import { fail, NothingToSee, problemOf, requirePicture } from './expect.ts';
import type { Visit } from './visit.ts';

// What a user of the service sees of a variant from its first request on. Each step ends with what was seen, when it was as expected.

const POLL_MS = 500;
/** How long after its time a CDN may still give the copy of a miss. */
const LATE_MS = 20_000;
/** A place of a CDN has several caches, each of which gets its own copy. */
const EDGE_TRIES = 5;
/** How long a CDN keeps what does not say so. */
const MISS_SECONDS = 60;

export async function seeRefusal({ getUnsigned }: Visit): Promise<string> {
  const answer = await getUnsigned();
  if (answer.status !== 403 || problemOf(answer).code !== 'bad_signature')
    fail(answer, 'expected 403 bad_signature: nobody may make it work without a key');
  return '403 bad_signature';
}

export async function seeMiss(visit: Visit): Promise<string> {
  const answer = await visit.get();
  const size = await requirePicture(answer);
  if (!isMade(answer)) fail(answer, 'expected a miss (Cache-Status: edgepress; fwd=miss; stored)');
  if (!isStored(answer)) fail(answer, 'it was not stored');
  visit.miss = answer;
  return `${describeAnswer(answer)}, ${size}`;
}

export async function seeNoSecondMiss(visit: Visit): Promise<string> {
  const answer = await visit.get();
  await requirePicture(answer);
  if (isMade(answer)) fail(answer, 'it was made a second time');
  return describeAnswer(answer);
}

export async function seeStored(visit: Visit): Promise<string> {
  const { miss, hasCdn, signal } = visit;
  const seconds = miss && hasCdn ? (sharedSeconds(miss) ?? MISS_SECONDS) : 0;
  if (seconds > 1) await countDown(seconds, 'The CDN keeps its copy of the miss', signal);
  if (signal.aborted) throw new NothingToSee('interrupted');
  const lateMs = performance.now() + LATE_MS;
  let answer = await visit.get();
  while (saysMiss(answer) && performance.now() < lateMs && !signal.aborted) {
    await sleep(POLL_MS);
    answer = await visit.get();
  }
  await requirePicture(answer);
  if (saysMiss(answer)) fail(answer, "expected the store's own copy, and it is still that of the miss");
  if (!answer.headers.has('etag')) fail(answer, "expected an ETag, as the store's own copy has");
  visit.stored = answer;
  return `${describeAnswer(answer)}, etag: ${answer.headers.get('etag')}`;
}

export async function seeEdgeHit(visit: Visit): Promise<string> {
  if (!visit.hasCdn) throw new NothingToSee('no CDN in front');
  for (let tries = 1; ; tries++) {
    const answer = await visit.get();
    await requirePicture(answer);
    if (isCdnHit(answer)) return describeAnswer(answer);
    if (tries === EDGE_TRIES)
      fail(answer, `expected a hit at the CDN (X-Cache: Hit, or an Age), ${tries} times`);
  }
}

export async function seeHead({ get, stored }: Visit): Promise<string> {
  if (!stored) throw new NothingToSee("the store's copy was not seen, to compare it with");
  const answer = await get({ method: 'HEAD' });
  if (answer.status !== 200 || answer.body.length > 0) fail(answer, 'expected 200 without a body');
  for (const name of ['content-type', 'etag']) {
    if (answer.headers.get(name) !== stored.headers.get(name)) fail(answer, `its ${name} is not that of GET`);
  }
  const length = answer.headers.get('content-length');
  if (length !== String(stored.body.length))
    fail(answer, `its content-length is ${length}, where GET has ${stored.body.length} bytes`);
  return `${describeAnswer(answer)}, content-length of ${formatBytes(stored.body.length)}`;
}

export async function seeNotModified({ get, stored }: Visit): Promise<string> {
  const etag = stored?.headers.get('etag');
  if (etag === undefined || etag === null) throw new NothingToSee('no ETag was seen, to ask with');
  const answer = await get({ headers: { 'If-None-Match': etag } });
  if (answer.status !== 304 || answer.body.length > 0) fail(answer, 'expected 304 without a body');
  return describeAnswer(answer);
}

export async function seeMissAgain({ get }: Visit): Promise<string> {
  const answer = await get();
  await requirePicture(answer);
  if (!isMade(answer)) fail(answer, 'expected a miss: it is still somewhere');
  return describeAnswer(answer);
}
