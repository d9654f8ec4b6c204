import { request, type TimedResponse } from './request.ts';

/** Requests one variant again and again, and keeps what the steps of a smoke test have seen of it. */
export interface Probe {
  /** Ends waits early. */
  signal: AbortSignal;
  get(init?: Parameters<typeof request>[1]): Promise<TimedResponse>;
  /** Requests it without its signature. */
  getUnsigned(): Promise<TimedResponse>;
  /** The response to the first request. */
  miss?: TimedResponse;
  /** The response from the store. */
  stored?: TimedResponse;
  /** Whether any response so far came through a CDN. */
  hasCdn: boolean;
  /** Whether the service has stored something that was not purged yet. */
  isStored: boolean;
}

/** @param url - with its signature */
export function createProbe(url: string, unsignedUrl: string, signal: AbortSignal): Probe {
  const requestAndNote: typeof request = async (target, init) => {
    const response = await request(target, init);
    probe.hasCdn ||= isFromCdn(response);
    probe.isStored ||= isStoredMiss(response);
    return response;
  };
  const probe: Probe = {
    signal,
    hasCdn: false,
    isStored: false,
    get: (init = {}) => requestAndNote(url, init),
    getUnsigned: () => requestAndNote(unsignedUrl, {}),
  };
  return probe;
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
