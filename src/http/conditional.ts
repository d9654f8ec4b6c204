// Conditional and range requests (RFC 9110). Written here because the packages for it answer differently: `range-parser` 1.3
// turns `bytes=5-2` and a suffix longer than the image into a 416 (the RFC: ignore the one, send the whole image for the other); `fresh`
// sends the whole image again when a reload says `Cache-Control: no-cache`, and knows no `If-Range`.

/** The request headers that make a response conditional or partial. */
export interface ConditionalHeaders {
  ifNoneMatch: string | undefined;
  ifRange: string | undefined;
  range: string | undefined;
}

/** What to send of an image: all of it, nothing because the client has it, one part, or an error because there is no such part. */
export type Selection =
  | { kind: 'whole' }
  | { kind: 'not modified' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' };

/**
 * Selects what to send by RFC 9110, sections 13.2.2 and 14.2: `If-None-Match` first, then `Range` unless `If-Range` does not match.
 * Several ranges in one request are answered with the whole image, which the RFC allows: no client needs them for images.
 *
 * @param etag - quoted and strong
 * @param bytes - the length of the whole image
 * @returns the selection; `start` and `end` of a part are the offsets of its first and its last byte
 */
export function selectPart(headers: ConditionalHeaders, etag: string, bytes: number): Selection {
  const { ifNoneMatch, ifRange, range } = headers;
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag)) return { kind: 'not modified' };
  // A date in `If-Range` never matches: variants have no Last-Modified.
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return { kind: 'whole' };
  return selectRange(range, bytes);
}

/** RFC 9110, sections 14.1.2 and 14.2. A malformed range, or one that ends before it starts, is ignored. */
function selectRange(range: string, bytes: number): Selection {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(range.replaceAll(' ', '')) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  // `-n` is the last n bytes, or all of them if there are fewer.
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (first !== '' && last !== '' && Number(first) > Number(last)) return { kind: 'whole' };
  return start > end ? { kind: 'unsatisfiable' } : { kind: 'part', start, end };
}

/** Weak comparison: `W/` makes no difference. */
function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(',').some((item) => {
    const tag = item.trim();
    return tag === '*' || tag === etag || tag === `W/${etag}`;
  });
}
