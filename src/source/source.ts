/** How an original is fetched. */
export interface SourceFetcher {
  /**
   * Refuses what can be refused without asking anyone.
   *
   * @throws EdgepressError `bad_request` (no URL after all) or `source_forbidden` (outside the allowlist)
   */
  admit(src: string): void;
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
