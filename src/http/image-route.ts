import type { GetVariant, Variant } from '../variant/get-variant.ts';
import { overloaded } from '../variant/overloaded.ts';
import type { Trace } from '../variant/trace.ts';
import { sourceBytes } from '../variant/variant-object.ts';
import { type Selection, selectPart } from './conditional.ts';
import {
  createHeaders,
  headerList,
  lastingHeaders,
  limitToShortCopy,
  type VariantHeadersOptions,
  withoutBodyHeaders,
  withTiming,
} from './image-headers.ts';
import type { LastingHeaders } from './response-head.ts';
import { addCommonHeaders } from './responses.ts';

export interface ImageRouteOptions extends VariantHeadersOptions {
  getVariant: GetVariant;
  /** Set behind a CDN that checks the store first. */
  cdnOrigin: CdnOrigin | undefined;
}

/**
 * What differs behind a CDN that checks the store first and sends misses here: the function on Lambda. It is not known whether the cache
 * tag of a response from here reaches the CDN, which needs it to invalidate its copy. So the CDN has to fetch the stored object soon: its
 * copy lives for a minute and has no `ETag` with which it could be revalidated.
 */
export interface CdnOrigin {
  /** The longest body that a response can carry, in bytes. */
  maxBodyBytes: number;
  /** Returns a URL that gives anyone access to a stored object for the next few minutes. */
  presign(key: string): Promise<string>;
}

/** A request for an image, `GET` or `HEAD`. */
export interface ImageRequest {
  method: string;
  /** The raw request target: path and query exactly as sent. */
  target: string;
  headers: RequestHeaders;
  /** Returns a signal that aborts when the viewer leaves; see `GetVariant`. */
  viewer?: () => AbortSignal;
}

/** The headers of a request, whichever library has read it. */
export interface RequestHeaders {
  /** Returns the value of a header by its lower-case name. */
  get(name: string): string | null | undefined;
}

/** A response, before an adapter sends it. */
export interface Answer {
  status: number;
  /** Headers that precede the others. */
  lasting?: LastingHeaders | undefined;
  /** Names and values in turn, as Node's `writeHead` takes them. */
  headers: string[];
  /** `null` for a response without one. */
  body: Uint8Array<ArrayBuffer> | null;
}

/**
 * Answers a request for an image: at once if it is in memory.
 *
 * @throws EdgepressError whatever {@link GetVariant} throws
 */
export function answerImage(
  options: ImageRouteOptions,
  request: ImageRequest,
  trace: Trace,
): Answer | Promise<Answer> {
  const { target, headers, viewer } = request;
  const hints = {
    accept: headerOf(headers, 'accept'),
    saveData: headerOf(headers, 'save-data'),
    host: headerOf(headers, 'host'),
  };
  const variant = options.getVariant(target, hints, trace, viewer);
  return variant instanceof Promise
    ? variant.then((made) => sendVariant(options, request, made, trace))
    : sendVariant(options, request, variant, trace);
}

function sendVariant(
  options: ImageRouteOptions,
  { method, headers: requestHeaders }: ImageRequest,
  variant: Variant,
  trace: Trace,
): Answer | Promise<Answer> {
  const { cdnOrigin } = options;
  // Only GET has ranges (RFC 9110, section 14.2). A CDN would cache a part and take the next one from another encoding.
  const range = method === 'GET' && !cdnOrigin ? headerOf(requestHeaders, 'range') : undefined;
  const conditions = {
    ifNoneMatch: headerOf(requestHeaders, 'if-none-match'),
    ifRange: headerOf(requestHeaders, 'if-range'),
    range,
  };
  const selection = selectPart(conditions, variant.object.etag, variant.object.bytes);
  const isTooLarge = cdnOrigin && method !== 'HEAD' && variant.object.bytes > cdnOrigin.maxBodyBytes;
  if (isTooLarge && selection.kind === 'whole') return redirectToStore(variant, cdnOrigin);
  const lasting = selection.kind === 'whole' && !cdnOrigin ? lastingHeaders(variant, options) : undefined;
  if (lasting) return sendWhole(variant, lasting, [], method, trace);
  const headers = createHeaders(variant, options);
  if (cdnOrigin) limitToShortCopy(headers);
  return send(selection, variant, headers, { method, trace });
}

function headerOf(headers: RequestHeaders, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}

function send(
  selection: Selection,
  variant: Variant,
  headers: Record<string, string>,
  { method, trace }: { method: string; trace: Trace },
): Answer {
  const { bytes, body } = variant.object;
  switch (selection.kind) {
    case 'not modified':
      return { status: 304, headers: withTiming(headerList(withoutBodyHeaders(headers)), trace), body: null };
    case 'unsatisfiable':
      headers['Cache-Control'] = 'no-store';
      headers['Content-Range'] = `bytes */${bytes}`;
      return {
        status: 416,
        headers: withTiming(headerList({ ...withoutBodyHeaders(headers), 'Content-Length': '0' }), trace),
        body: null,
      };
    case 'part': {
      const { start, end } = selection;
      headers['Content-Range'] = `bytes ${start}-${end}/${bytes}`;
      headers['Content-Length'] = String(end + 1 - start);
      const part = body.subarray(start, end + 1);
      return sendBody({ status: 206, headers: headerList(headers), body: part }, method, trace);
    }
    case 'whole':
      return sendWhole(variant, undefined, headerList(headers), method, trace);
  }
}

function sendWhole(
  { object }: Variant,
  lasting: LastingHeaders | undefined,
  headers: string[],
  method: string,
  trace: Trace,
): Answer {
  if (method === 'GET') trace.originalBytes = sourceBytes(object);
  return sendBody({ status: 200, lasting, headers, body: object.body }, method, trace);
}

function sendBody({ status, lasting, headers, body }: Answer, method: string, trace: Trace): Answer {
  const isHead = method === 'HEAD';
  trace.bytesOut = isHead ? 0 : (body?.byteLength ?? 0);
  return { status, lasting, headers: withTiming(headers, trace), body: isHead ? null : body };
}

/**
 * Redirects to the stored object of a variant that is too large for a response.
 *
 * @throws EdgepressError `overloaded` if it could not be stored
 */
async function redirectToStore({ key, origin }: Variant, cdnOrigin: CdnOrigin): Promise<Answer> {
  if (origin === 'made but not stored')
    throw overloaded(
      'The image is too large to be sent without being stored, and could not be stored: try again',
    );
  const headers = { Location: await cdnOrigin.presign(key), 'Cache-Control': 'no-store' };
  return { status: 302, headers: headerList(addCommonHeaders(headers)), body: null };
}
