import type { WorkStart } from '../protocol/work-start.ts';

// What began before which purge. The times of a unit's tombstones only increase, and everything that is stored names the tombstone that
// its writer saw when it began: so no clock is compared with another.

/**
 * Returns whether a unit was purged after work had begun.
 *
 * @param purgedMs - the time of its tombstone now; `undefined`: there is none
 */
export function isPurgedSince({ atMs, lastPurgeMs }: WorkStart, purgedMs: number | undefined): boolean {
  if (purgedMs === undefined) return false;
  // Of an earlier version of this program, which says no more than the time.
  if (lastPurgeMs === undefined) return atMs <= purgedMs;
  // An earlier time than that at the start: the tombstone had expired, and then the unit was purged.
  return lastPurgeMs !== purgedMs;
}

/**
 * Returns whether work began before the purge that left a tombstone.
 *
 * @param purgedMs - the time of that tombstone
 * @param readTombstone - reads the unit's tombstone as it is now: another purge may have stored a later one
 */
export async function beganBefore(
  { lastPurgeMs }: { lastPurgeMs: number },
  purgedMs: number,
  readTombstone: () => Promise<number | undefined>,
): Promise<boolean> {
  if (lastPurgeMs <= purgedMs) return lastPurgeMs < purgedMs;
  // It saw a tombstone with a later time: that of a later purge, if it is still there. Else it was of a wrong clock, and has expired.
  const currentMs = await readTombstone();
  return currentMs === undefined || lastPurgeMs > currentMs;
}
