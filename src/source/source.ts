import { EdgepressError } from '../protocol/error.ts';

/** How an original is fetched. */
export interface SourceFetcher {
  /**
   * Refuses what can be refused without asking anyone.
   *
   * @throws EdgepressError `bad_request` (no URL after all) or `source_forbidden` (outside the allowlist)
   */
  assertAllowed(src: string): void;
  /**
   * Fetches the whole of one source.
   *
   * @param src - an absolute `http(s)` URL, or `s3://bucket/key`, as the caller of the service gave it
   * @returns its bytes, not yet known to be an image
   * @throws EdgepressError `bad_request` (no URL after all), `source_forbidden`, `source_not_found`,
   *   `source_too_large`, `source_unavailable`, `source_timeout`, with `retryable` set where the same fetch may pass later
   */
  fetch(src: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface SourcesByScheme {
  http: SourceFetcher;
  /** Absent where no bucket is allowed as a source. */
  s3?: SourceFetcher;
}

/**
 * Returns the fetcher of all sources, which hands each URL to the one that knows its scheme.
 *
 * It throws `bad_request` for any other scheme, and `source_forbidden` for `s3:` without an S3 source.
 */
export function createSourceFetcher({ http, s3 }: SourcesByScheme): SourceFetcher {
  const fetcherOf = (src: string): SourceFetcher => {
    if (/^https?:/i.test(src)) return http;
    if (!/^s3:/i.test(src)) {
      throw new EdgepressError('bad_request', 'src must be an http, https or s3 URL', { parameter: 'src' });
    }
    if (!s3) throw new EdgepressError('source_forbidden', 'no S3 bucket is among the allowed sources');
    return s3;
  };
  return {
    assertAllowed: (src) => fetcherOf(src).assertAllowed(src),
    fetch: async (src) => await fetcherOf(src).fetch(src),
  };
}
