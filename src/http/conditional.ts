/** The request headers that make an answer conditional or partial. */
export interface ConditionalHeaders {
  ifNoneMatch: string | undefined;
  ifRange: string | undefined;
  range: string | undefined;
}

/** What of a representation to send: all of it, nothing since the client has it, a part, or no such part. */
export type Selection =
  | { kind: 'whole' }
  | { kind: 'not modified' }
  | { kind: 'part'; start: number; end: number }
  | { kind: 'unsatisfiable' };

/**
 * Decides by RFC 9110, sections 13.2.2 and 14.2: `If-None-Match` first, then `Range` unless `If-Range` stands against
 * it. Several ranges at once are answered with the whole, which that document allows: no picture needs them.
 *
 * @param etag - quoted and strong
 * @param bytes - the length of the whole
 * @returns for a part, `start` and `end` are offsets of its first and last byte
 */
export function selectPart(headers: ConditionalHeaders, etag: string, bytes: number): Selection {
  const { ifNoneMatch, ifRange, range } = headers;
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag)) return { kind: 'not modified' };
  // A date cannot match: variants carry no Last-Modified.
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return { kind: 'whole' };
  return selectRange(range, bytes);
}

/** RFC 9110, sections 14.1.2 and 14.2. What is no range, or one that ends before it starts, is as if it were not there. */
function selectRange(range: string, bytes: number): Selection {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(range.replaceAll(' ', '')) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  // Without a first byte, the last so many: all of them, if there are fewer.
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
