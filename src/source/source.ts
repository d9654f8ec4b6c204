import { EdgepressError } from '../protocol/error.ts';

/** Fetches originals. */
export interface SourceFetcher {
  /**
   * Checks a source without any network access.
   *
   * @throws EdgepressError `bad_request` (not a valid URL) or `source_forbidden` (outside the allowlist)
   */
  assertAllowed(src: string): void;
  /**
   * Checks without any network access that the host of a source is not known to be down.
   *
   * @throws EdgepressError `source_timeout` or `source_unavailable`, as the host's last failure, with the time in which to try again; see
   *   `isHostRefusal`
   */
  assertReachable(src: string): void;
  /**
   * Fetches a source.
   *
   * @param src - an absolute `http(s)` URL, or `s3://bucket/key`, as the caller of the service gave it
   * @param signal - aborts the fetch: nobody waits for it any more
   * @param watcher - told how the answer comes
   * @returns the whole of its bytes, which may be anything: they are not checked to be an image
   * @throws EdgepressError `bad_request` (not a valid URL), `source_forbidden`, `source_not_found`, `source_too_large`,
   *   `source_unavailable`, `source_timeout`; `retryable` if the same fetch may succeed later; also as `assertReachable`
   */
  fetch(src: string, signal?: AbortSignal, watcher?: AnswerWatcher): Promise<Uint8Array<ArrayBuffer>>;
}

/** Told how an answer comes: what does not come costs no memory. */
export interface AnswerWatcher {
  /** It begins, or goes on after `onStall`. Awaited before more of its bytes are read. */
  onAnswer(): Promise<void>;
  /** It has begun, and hardly anything comes any more. */
  onStall(): void;
}

export interface SourcesByScheme {
  http: SourceFetcher;
  /** Absent if no bucket is allowed as a source. */
  s3?: SourceFetcher;
}

/**
 * Creates a fetcher that delegates by the scheme of the URL. It throws `bad_request` for an unknown scheme, and `source_forbidden` for `s3:`
 * without an S3 source.
 */
export function createSourceFetcher({ http, s3 }: SourcesByScheme): SourceFetcher {
  const fetcherFor = (src: string): SourceFetcher => {
    if (/^https?:/i.test(src)) return http;
    if (!/^s3:/i.test(src)) {
      throw new EdgepressError('bad_request', 'src must be an http, https or s3 URL', { parameter: 'src' });
    }
    if (!s3) throw new EdgepressError('source_forbidden', 'no S3 bucket is among the allowed sources');
    return s3;
  };
  return {
    assertAllowed: (src) => fetcherFor(src).assertAllowed(src),
    assertReachable: (src) => fetcherFor(src).assertReachable(src),
    fetch: async (src, ...options) => await fetcherFor(src).fetch(src, ...options),
  };
}
