import { EdgepressError } from '../protocol/error.ts';
import { CACHE_TAG_HEADER, CACHE_TAG_METADATA } from '../protocol/keys.ts';
import { COMMON_HEADERS } from '../protocol/problem.ts';
import { withShortSharedMaxAge } from '../variant/cache-control.ts';
import type { GetVariant, Variant } from '../variant/get-variant.ts';
import type { Step, Trace } from '../variant/trace.ts';
import { type Selection, selectPart } from './conditional.ts';

/** The steps that `Server-Timing` tells of. */
const SHOWN_STEPS: readonly Step[] = ['store', 'fetch', 'encode'];

/** RFC 9211. */
const CACHE_STATUS: Readonly<Record<Variant['origin'], string>> = {
  stored: 'edgepress; hit',
  made: 'edgepress; fwd=miss; stored',
  'made but not stored': 'edgepress; fwd=miss',
};

export interface Answering {
  getVariant: GetVariant;
  /** Set where a CDN asks that has looked in the store. */
  cdnOrigin: CdnOrigin | undefined;
}

/**
 * Answers `GET` and `HEAD` of an image from the raw request target.
 *
 * @throws EdgepressError whatever {@link GetVariant} throws
 */
export async function respondWithImage(
  { getVariant, cdnOrigin }: Answering,
  target: string,
  request: Request,
  trace: Trace,
): Promise<Response> {
  const header = (name: string) => request.headers.get(name) ?? undefined;
  const hints = { accept: header('accept'), saveData: header('save-data') };
  const variant = await getVariant(target, hints, trace);
  const { method } = request;
  // Ranges are defined for GET alone (RFC 9110, section 14.2). A CDN would keep a part, and have the next from another encoding.
  const range = method === 'GET' && !cdnOrigin ? header('range') : undefined;
  const conditions = { ifNoneMatch: header('if-none-match'), ifRange: header('if-range'), range };
  const selection = selectPart(conditions, variant.object.etag, variant.object.bytes);
  const isTooLarge = cdnOrigin && method !== 'HEAD' && variant.object.bytes > cdnOrigin.maxBodyBytes;
  if (isTooLarge && selection.kind === 'whole') return redirectToStore(variant, cdnOrigin);
  const headers = describe(variant, trace);
  if (cdnOrigin) makeShortLived(headers);
  return send(selection, variant, headers, { method, trace });
}

function send(
  selection: Selection,
  { object }: Variant,
  headers: Record<string, string>,
  { method, trace }: { method: string; trace: Trace },
): Response {
  switch (selection.kind) {
    case 'not modified':
      return new Response(null, { status: 304, headers: withoutBody(headers) });
    case 'unsatisfiable':
      headers['Cache-Control'] = 'no-store';
      headers['Content-Range'] = `bytes */${object.bytes}`;
      return new Response(null, { status: 416, headers: withoutBody(headers) });
    case 'part': {
      const { start, end } = selection;
      headers['Content-Range'] = `bytes ${start}-${end}/${object.bytes}`;
      headers['Content-Length'] = String(end + 1 - start);
      return sendBody(206, headers, object.body.subarray(start, end + 1), method, trace);
    }
    case 'whole':
      if (method === 'GET') trace.originalBytes = Number(object.metadata['source-bytes'] ?? 0);
      return sendBody(200, headers, object.body, method, trace);
  }
}

function sendBody(
  status: number,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer>,
  method: string,
  trace: Trace,
): Response {
  trace.bytesOut = method === 'HEAD' ? 0 : body.byteLength;
  return new Response(method === 'HEAD' ? null : body, { status, headers });
}

/**
 * What is said of a variant. In one literal: spread and added to piece by piece, this object alone would halve the rate
 * at which stored variants are sent.
 */
function describe({ object, origin, vary }: Variant, trace: Trace): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': object.contentType,
    'Content-Length': String(object.bytes),
    ETag: object.etag,
    'Cache-Control': cacheControlFor(object.cacheControl ?? '', origin),
    'Cache-Status': CACHE_STATUS[origin],
    'Accept-Ranges': 'bytes',
    'Server-Timing': serverTiming(trace),
    [CACHE_TAG_HEADER]: object.metadata[CACHE_TAG_METADATA] ?? '',
    'X-Content-Type-Options': COMMON_HEADERS['X-Content-Type-Options'],
    'Content-Security-Policy': COMMON_HEADERS['Content-Security-Policy'],
    'Access-Control-Allow-Origin': COMMON_HEADERS['Access-Control-Allow-Origin'],
    'Timing-Allow-Origin': COMMON_HEADERS['Timing-Allow-Origin'],
  };
  if (vary.length > 0) headers['Vary'] = vary.join(', ');
  return headers;
}

/**
 * See `cdn-origin.ts`. With an `ETag`, the CDN would have its copy confirmed for ever, instead of fetching the store's; and without
 * `stale-if-error=0`, CloudFront would go on with it for as long as origins fail, though its unit may be purged.
 */
function makeShortLived(headers: Record<string, string>): void {
  delete headers['ETag'];
  const cacheControl = withShortSharedMaxAge(headers['Cache-Control'] ?? '');
  headers['Cache-Control'] = /\bno-store\b/i.test(cacheControl)
    ? cacheControl
    : `${cacheControl}, stale-if-error=0`;
}

function withoutBody({ 'Content-Type': _type, 'Content-Length': _length, ...rest }: Record<string, string>) {
  return rest;
}

function cacheControlFor(stored: string, origin: Variant['origin']): string {
  return origin === 'stored' ? stored : withShortSharedMaxAge(stored);
}

function serverTiming(trace: Trace): string {
  return SHOWN_STEPS.flatMap((step) => {
    const ms = trace.ms[step];
    return ms === undefined ? [] : `${step};dur=${ms.toFixed(1)}`;
  }).join(', ');
}

/**
 * What is different where a CDN asks that looks in the store first, and comes here for what it does not find: the function on
 * Lambda. All that it gets here is a copy without the tag by which it could be told to forget it (whether that header reaches
 * it is not known), so it is to fetch the stored object soon: its copy lives for a minute, and has nothing to be confirmed by.
 */
export interface CdnOrigin {
  /** The longest body that an answer can carry. */
  maxBodyBytes: number;
  /** A URL under which anybody can have a stored object for the next few minutes. */
  presign(key: string): Promise<string>;
}

/**
 * Sends whoever asks for a variant that is too large for an answer to the store.
 *
 * @throws EdgepressError `overloaded` when it is not there
 */
export async function redirectToStore({ key, origin }: Variant, cdnOrigin: CdnOrigin): Promise<Response> {
  if (origin === 'made but not stored') {
    const detail =
      'The image is too large to be sent without being stored, and could not be stored: try again';
    throw new EdgepressError('overloaded', detail, { retryable: true, retryAfterSeconds: 5 });
  }
  return new Response(null, {
    status: 302,
    headers: { ...COMMON_HEADERS, Location: await cdnOrigin.presign(key), 'Cache-Control': 'no-store' },
  });
}
