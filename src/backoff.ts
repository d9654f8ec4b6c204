import { setTimeout as delay } from 'node:timers/promises';

/**
 * Exponential backoff: the delay before the next attempt, which doubles with each failure.
 *
 * @param first - the delay after the first failure, in any unit of time
 * @param failures - failures in a row so far, from 1
 * @param max - the longest delay, in the unit of `first`; by default there is none
 * @returns the delay in the unit of `first`, without jitter
 */
export function backoffDelay(first: number, failures: number, max = Number.POSITIVE_INFINITY): number {
  return Math.min(first * 2 ** (failures - 1), max);
}

/** Lengthens a delay by up to a quarter at random, so that callers that failed together do not retry together. */
export function withJitter(duration: number): number {
  return duration * (1 + Math.random() / 4);
}

/**
 * Resolves after `ms` milliseconds, or as soon as the signal aborts. It never rejects: a caller that has to stop then calls
 * `signal.throwIfAborted()`.
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
