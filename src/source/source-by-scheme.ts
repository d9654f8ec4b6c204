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
 * Its `fetch` throws `bad_request` for any other scheme, and `source_forbidden` for `s3:` without an S3 source.
 */
export function createSourceFetcher({ http, s3 }: SourcesByScheme): SourceFetcher {
  return {
    async fetch(src) {
      if (/^https?:/i.test(src)) return await http.fetch(src);
      if (!/^s3:/i.test(src)) {
        throw new EdgepressError('bad_request', 'src must be an http, https or s3 URL', { parameter: 'src' });
      }
      if (!s3) throw new EdgepressError('source_forbidden', 'no S3 bucket is among the allowed sources');
      return await s3.fetch(src);
    },
  };
}
