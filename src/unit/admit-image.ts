import { EdgepressError } from '../error.ts';
import type { SourceFetcher } from '../source/source.ts';
import { parseRequest } from '../variant/request.ts';

/** JSON can spell what no URL can. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;

/** The longest that a request for an image of a unit says beside its source: signed, with every parameter. */
const LONGEST_REST = `&w=16383&q=balanced&f=jpeg&exp=9999999999&sig=${'k'.repeat(64)}.${'s'.repeat(43)}`;

/**
 * Refuses a source that no request could ask for, or that may not be fetched; asks nobody.
 *
 * @throws EdgepressError `bad_request` or `source_forbidden`
 */
export function admitImage(source: Pick<SourceFetcher, 'admit'>, unit: string, src: string): void {
  if (HALF_A_CHARACTER.test(src)) throw new EdgepressError('bad_request', 'the source is not valid Unicode');
  const parsed = parseRequest(`/u/${unit}?src=${encodeURIComponent(src)}${LONGEST_REST}`);
  if (!parsed.ok) throw new EdgepressError(parsed.fault.code, parsed.fault.detail);
  source.admit(src);
}
