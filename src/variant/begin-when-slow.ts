import type { WorkStart } from '../protocol/work-start.ts';

/** How long a store takes to answer that is neither slow nor down, in milliseconds. */
const USUAL_READ_MS = 100;

/** The beginning of work on a unit, which reads its tombstone. */
export interface LazyStart {
  /** Begins, unless that has happened. */
  begin(): Promise<WorkStart>;
  hasBegun(): boolean;
  /** From now on it begins only when it is asked to. */
  stopWaiting(): void;
}

/**
 * The tombstone is read when a variant turns out to be missing, beside the source's record: nobody waits for it, and hits in S3 cost one read,
 * not two. If the store is slow to say so, it is read meanwhile.
 *
 * @param read - called once
 */
export function beginWhenSlow(read: () => Promise<WorkStart>): LazyStart {
  let start: Promise<WorkStart> | undefined;
  const begin = () => {
    start ??= read();
    return start;
  };
  const timer = setTimeout(begin, USUAL_READ_MS);
  return { begin, hasBegun: () => start !== undefined, stopWaiting: () => clearTimeout(timer) };
}
