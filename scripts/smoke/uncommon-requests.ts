import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { formatBytes, formatCount } from '../cli/text.ts';
import { fail, problemOf, requireImage, StepSkipped } from './assertions.ts';
import { isCdnHit, isMiss, type SmokeClient, type VariantParts } from './client.ts';
import { formatResponse, request, type TimedResponse } from './request.ts';
import type { SmokeSource } from './source.ts';

/*
 * Steps with requests that few clients make, and that platforms answer in different ways. Each returns what was seen when it was as
 * expected, and throws StepFailure or StepSkipped otherwise.
 */

/** More than a function on Lambda can answer: its limit, less a third for base64. */
const LARGE_BYTES = 4_500_000;
/** Noise of this size is larger than that as a JPEG of the highest tier. */
const LARGE_PIXELS = 6_500_000;
const GIVEN_SOURCE = 'only with a photograph of our own: without --src';

/** A preflight request, as browsers send it before a script fetches an image with a header of its own. */
export async function checkPreflight(client: SmokeClient, parts: VariantParts): Promise<string> {
  const headers = { Origin: 'https://smoke.example', 'Access-Control-Request-Method': 'GET' };
  const response = await client.request(parts, { method: 'OPTIONS', headers });
  const isAllowed = response.headers.get('access-control-allow-origin') === '*';
  if (response.status !== 204 || !isAllowed)
    fail(
      response,
      'expected 204 with Access-Control-Allow-Origin: *, without which scripts of pages cannot fetch images. On AWS the edge function answers this: is it still that of this deployment?',
    );
  return formatResponse(response);
}

/** HEAD of a variant that nobody has asked for. */
export async function checkHeadOfMiss(client: SmokeClient, parts: VariantParts): Promise<string> {
  const head = await client.request(parts, { method: 'HEAD' });
  if (head.status !== 200 || head.body.length > 0) fail(head, 'expected 200 without a body');
  const response = await client.request(parts);
  await requireImage(response);
  const length = head.headers.get('content-length');
  // Function URLs of Lambda rename it.
  const renamed = head.headers.get('x-amzn-remapped-content-length');
  if (length !== null && length !== String(response.body.length))
    fail(
      head,
      `its Content-Length is ${length}, where GET has ${response.body.length} bytes: clients take the image for damaged`,
    );
  const shown = length === null ? 'no Content-Length' : `Content-Length: ${length}`;
  return `${formatResponse(head)}, ${shown}${renamed === null ? '' : `, which Lambda has renamed (${renamed})`}`;
}

/** The longest URL of an original that the service takes, or nearly. */
export async function checkLongUrl(
  client: SmokeClient,
  parts: VariantParts,
  { longUrl, put }: SmokeSource,
): Promise<string> {
  if (longUrl === undefined)
    throw new StepSkipped('an original in S3 has no longer URL, nor one whose own is as long');
  const response = await client.request({ ...parts, src: longUrl });
  const { code = '', detail } = problemOf(response);
  if (put === undefined && code.startsWith('source_'))
    throw new StepSkipped(`the server of the original takes no longer URL: ${code} (${detail})`);
  if (response.status !== 200)
    fail(
      response,
      `expected an image: the original's URL has ${formatCount(longUrl.length)} characters. On AWS, a web ACL limits the length of URLs, or the edge function needs more time than it has (FunctionThrottles on the dashboard)`,
    );
  await requireImage(response);
  return `${formatResponse(response)}, for a URL of ${formatCount(longUrl.length)} characters`;
}

/** A damaged original, twice. It is deleted in between, so that a second fetch would find nothing. */
export async function checkDamaged(
  client: SmokeClient,
  parts: VariantParts,
  { put }: SmokeSource,
): Promise<string> {
  if (put === undefined) throw new StepSkipped(GIVEN_SOURCE);
  const original = await put(async (photograph) => photograph.subarray(0, photograph.length / 2));
  const get = () => client.request({ ...parts, src: original.url });
  const first = await get();
  await original.remove();
  requireCorrupt(first, 'expected 422 source_corrupt: the original is half a photograph');
  const second = await get();
  requireCorrupt(
    second,
    'expected the same again, from what is stored of the first time: each view of a damaged image costs a fetch. Is STORE that of the service, and may the image function write to it?',
  );
  const from = isCdnHit(second) ? 'from the CDN' : 'without a fetch';
  return `${formatResponse(first)}; again ${from} in ${Math.round(second.ms)} ms`;
}

function requireCorrupt(response: TimedResponse, why: string): void {
  if (response.status !== 422 || problemOf(response).code !== 'source_corrupt') fail(response, why);
}

/** A variant that is larger than what a function on Lambda can answer. */
export async function checkLarge(
  client: SmokeClient,
  parts: VariantParts,
  { put }: SmokeSource,
): Promise<string> {
  if (put === undefined) throw new StepSkipped(GIVEN_SOURCE);
  const { width = 1 } = parts;
  const original = await put(() => makeNoise(width, Math.ceil(LARGE_PIXELS / width)));
  const large: VariantParts = { ...parts, src: original.url, tier: 'high', format: 'jpeg' };
  const first = await client.request(large);
  await original.remove();
  if (first.status !== 302) {
    await requireLargeImage(first);
    return `${formatResponse(first)}: without a redirect`;
  }
  if (first.headers.get('cache-control') !== 'no-store')
    fail(
      first,
      'expected Cache-Control: no-store, since the URL that it redirects to is valid for minutes only',
    );
  const followed = await request(first.headers.get('location') ?? '');
  await requireLargeImage(followed);
  const second = await client.request(large);
  const again =
    second.status === 302 ? 'again a redirect' : `then ${formatBytes(second.body.length)} without a redirect`;
  return `302 to ${new URL(first.headers.get('location') ?? '').host}, ${formatResponse(followed)}; ${again}`;
}

async function requireLargeImage(response: TimedResponse): Promise<void> {
  if (response.status !== 200)
    fail(
      response,
      'expected a large image, or a redirect to it: functions on Lambda answer 6 MB at most, and what is larger comes from S3 at a presigned URL',
    );
  await requireImage(response);
  if (response.body.length <= LARGE_BYTES)
    throw new StepSkipped(
      `the image has only ${formatBytes(response.body.length)}: a function can answer it`,
    );
}

async function makeNoise(width: number, height: number): Promise<Buffer> {
  const channels = 3;
  return await sharp(randomBytes(width * height * channels), { raw: { width, height, channels } })
    .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/**
 * A purge right after the first request.
 *
 * @param purge - purges the unit, and waits until the CDN has completed the invalidation
 */
export async function checkEarlyPurge(
  client: SmokeClient,
  parts: VariantParts,
  purge: () => Promise<unknown>,
): Promise<string> {
  const first = await client.request(parts);
  await requireImage(first);
  await purge();
  const second = await client.request(parts);
  await requireImage(second);
  if (isMiss(second)) return `${formatResponse(second)}: made anew`;
  if (isCdnHit(second))
    return `${formatResponse(second)}: the CDN still sends its copy of the first response, which has no cache tags for it. It keeps that for a minute at most`;
  return fail(
    second,
    'expected it to be made anew: it is still stored somewhere. Is STORE that of the service?',
  );
}
