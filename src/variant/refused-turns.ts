/** Those who were refused, as if they waited: each will come again, and takes its turn then. */
export interface RefusedTurns {
  /**
   * Adds one.
   *
   * @param turnMs - how long its turn will take
   * @returns how long the turns of those before it take, in milliseconds: a minute at most
   */
  add(turnMs: number): number;
}

/** More is not to be known: many of those who were refused will not come again. */
const MAX_AHEAD_MS = 60_000;

/**
 * Tells those who are refused when to come again, one after the other. If each were told how long the queue is, which is a second or two, all of
 * them would come back together, and all but a few be refused again: a virtual queue, as in a leaky bucket (ITU-T I.371, the generic cell
 * rate algorithm).
 *
 * @param nowMs - the time of a monotonic clock, in milliseconds
 */
export function createRefusedTurns(nowMs: () => number): RefusedTurns {
  let endMs = Number.NEGATIVE_INFINITY;
  return {
    add(turnMs) {
      const now = nowMs();
      const aheadMs = Math.max(0, endMs - now);
      endMs = now + Math.min(MAX_AHEAD_MS, aheadMs + turnMs);
      return aheadMs;
    },
  };
}
