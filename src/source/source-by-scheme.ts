import { EdgepressError } from '../error.ts';
import type { SourceFetcher } from './source.ts';

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
    admit: (src) => fetcherOf(src).admit(src),
    fetch: async (src) => await fetcherOf(src).fetch(src),
  };
}
