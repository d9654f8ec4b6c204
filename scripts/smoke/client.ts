import { type ImageUrlParts, imageUrl } from '../../src/client/image-url.ts';
import type { SigningKey } from '../../src/protocol/signature.ts';
import { request, type TimedResponse } from './request.ts';

/** Which variant to request. */
export type VariantParts = Omit<ImageUrlParts, 'baseUrl'>;

/** What the responses so far have told about the service. */
export interface Seen {
  /** Whether any response came through a CDN. */
  hasCdn: boolean;
  /** Whether the service has stored something that was not purged yet. */
  isStored: boolean;
}

/** Requests variants, and keeps what their responses tell about the service. */
export interface SmokeClient {
  readonly seen: Seen;
  request(parts: VariantParts, init?: Parameters<typeof request>[1]): Promise<TimedResponse>;
  requestUnsigned(parts: VariantParts): Promise<TimedResponse>;
}

/** @param baseUrl - the URL of the service, without a slash at the end */
export function createSmokeClient(baseUrl: string, key: SigningKey): SmokeClient {
  const seen: Seen = { hasCdn: false, isStored: false };
  const requestAndNote: typeof request = async (url, init) => {
    const response = await request(url, init);
    seen.hasCdn ||= isFromCdn(response);
    seen.isStored ||= isStoredMiss(response);
    return response;
  };
  return {
    seen,
    request: async (parts, init) => requestAndNote(imageUrl({ ...parts, baseUrl }, key), init),
    requestUnsigned: async (parts) => requestAndNote(imageUrl({ ...parts, baseUrl })),
  };
}

/** Whether the service made the variant for this request: its Cache-Status (RFC 9211) says so, and it is not a CDN's copy. */
export function isMiss(response: TimedResponse): boolean {
  return isCopyOfMiss(response) && !isCdnHit(response);
}

/** Whether the service made and stored the variant for this request. */
export function isStoredMiss(response: TimedResponse): boolean {
  return isMiss(response) && /;\s*stored\b/.test(response.headers.get('cache-status') ?? '');
}

/** Whether it is the response to a miss, or a CDN's copy of that. */
export function isCopyOfMiss({ headers }: TimedResponse): boolean {
  return /\bfwd=/.test(headers.get('cache-status') ?? '');
}

/** Whether a CDN answered from its cache. */
export function isCdnHit({ headers }: TimedResponse): boolean {
  return /hit\b/i.test(headers.get('x-cache') ?? '') || Number(headers.get('age') ?? 0) > 0;
}

/** The `s-maxage` of a response, in seconds: how long a CDN keeps it. `undefined` when it has none. */
export function sharedMaxAgeSeconds({ headers }: TimedResponse): number | undefined {
  const [, seconds] = /\bs-maxage=(\d+)/i.exec(headers.get('cache-control') ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/** Whether it came through a CDN, from its cache or not. */
function isFromCdn({ headers }: TimedResponse): boolean {
  return headers.has('x-cache') || headers.has('age');
}
