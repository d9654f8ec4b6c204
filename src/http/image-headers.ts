import { type CacheTagHeader, formatCacheTags } from '../cdn/cache-tag-headers.ts';
import { CACHE_TAG_HEADER, VARIANT_METADATA } from '../protocol/metadata.ts';
import type { StoredObject } from '../store/store.ts';
import type { Variant } from '../variant/get-variant.ts';
import { msOf, type Trace, type TraceStep } from '../variant/trace.ts';
import { withMaxAge, withShortSharedMaxAge } from '../variant/variant-object.ts';
import type { LastingHeaders } from './response-head.ts';
import { addCommonHeaders } from './responses.ts';

// The headers of responses with an image.

/** What `Server-Timing` shows, and the steps that each is the sum of. */
const SHOWN_STEPS: readonly [name: string, step: TraceStep, next?: TraceStep][] = [
  ['store', 'store', 'record'],
  ['fetch', 'fetch'],
  ['encode', 'decode', 'encode'],
];

/** Values of `Cache-Status` (RFC 9211). */
export const CACHE_STATUS: Readonly<Record<Variant['origin'], string>> = {
  stored: 'edgepress; hit',
  made: 'edgepress; fwd=miss; stored',
  'made but not stored': 'edgepress; fwd=miss',
};

/** Returns headers as a list; see `Answer`. */
export function headerList(headers: Record<string, string>): string[] {
  return Object.entries(headers).flat();
}

/** What the headers of all variants follow from. */
export interface VariantHeadersOptions {
  /** The `Cache-Control` of stored variants that have lost theirs, as when they were copied by a tool. */
  cacheControl: string;
  /** Where the CDN reads cache tags, beside `x-amz-meta-cache-tag`. */
  tagHeaders?: readonly CacheTagHeader[];
}

/** Headers of stored variants that were sent with the same `Vary`, by their objects in memory. */
const sentHeaders = new WeakMap<StoredObject, { vary: readonly string[]; headers: LastingHeaders }>();

/** Returns the headers of the whole variant, if they are the same in each response: those of one that was just made, or whose URL expires, are not. */
export function lastingHeaders(variant: Variant, options: VariantHeadersOptions): LastingHeaders | undefined {
  const { object, origin, vary, secondsToExpiry } = variant;
  if (origin !== 'stored' || secondsToExpiry !== undefined) return undefined;
  const sent = sentHeaders.get(object);
  if (sent?.vary === vary) return sent.headers;
  const headers = { list: headerList(createHeaders(variant, options)) };
  sentHeaders.set(object, { vary, headers });
  return headers;
}

/** Returns the headers of the whole variant, without the time that it took. */
export function createHeaders(
  { object, origin, vary, secondsToExpiry }: Variant,
  { cacheControl, tagHeaders = [] }: VariantHeadersOptions,
): Record<string, string> {
  const tags = object.metadata[VARIANT_METADATA.cacheTag] ?? '';
  const stored = withMaxAge(object.cacheControl || cacheControl, secondsToExpiry);
  const headers = addCommonHeaders({
    'Content-Type': object.contentType,
    'Content-Length': String(object.bytes),
    ETag: object.etag,
    'Cache-Control': origin === 'stored' ? stored : withShortSharedMaxAge(stored),
    'Cache-Status': CACHE_STATUS[origin],
    'Accept-Ranges': 'bytes',
    [CACHE_TAG_HEADER]: tags,
  });
  for (const header of tagHeaders) headers[header.name] = formatCacheTags(tags, header);
  if (vary.length > 0) headers['Vary'] = vary.join(', ');
  return headers;
}

/**
 * See `CdnOrigin`. With an `ETag`, the CDN would revalidate its copy for ever instead of fetching the stored object. Without
 * `stale-if-error=0`, CloudFront would keep serving it for as long as origins fail, even after its unit was purged; with
 * `stale-while-revalidate`, once more after its minute.
 */
export function limitToShortCopy(headers: Record<string, string>): void {
  delete headers['ETag'];
  const cacheControl = withShortSharedMaxAge(headers['Cache-Control'] ?? '').replace(
    /,\s*stale-while-revalidate=\d+/i,
    '',
  );
  headers['Cache-Control'] = /\bno-store\b/i.test(cacheControl)
    ? cacheControl
    : `${cacheControl}, stale-if-error=0`;
}

/** Returns the headers of a response without a body. */
export function withoutBodyHeaders({
  'Content-Type': _type,
  'Content-Length': _length,
  ...rest
}: Record<string, string>) {
  return rest;
}

/** Adds the times of a request. */
export function withTiming(headers: readonly string[], trace: Trace): string[] {
  return [...headers, 'Server-Timing', serverTiming(trace)];
}

/** Returns the value of `Server-Timing`: the times of a request. */
export function serverTiming(trace: Trace): string {
  let text = '';
  for (const [name, step, next] of SHOWN_STEPS) {
    const duration = msOf(trace, step, next);
    if (duration === undefined) continue;
    text += `${text === '' ? '' : ', '}${name};dur=${duration.toFixed(1)}`;
  }
  return text;
}
