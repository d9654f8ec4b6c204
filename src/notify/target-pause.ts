import { backoffDelay, withJitter } from '../backoff.ts';

/** How long a target is left alone after it has failed. */
export interface TargetPause {
  /** Whether the last attempt failed: then one event at a time tries the target. */
  isFailing(): boolean;
  /** How long the target is left alone from now on, in milliseconds; 0 or less: it may be tried. */
  remainingMs(): number;
  /**
   * @param retryAfterMs - what the target asked for
   * @returns the pause, in milliseconds
   */
  failed(retryAfterMs?: number): number;
  succeeded(): void;
}

const MAX_PAUSE_MS = 300_000;

/** @param firstMs - the pause after a first failure; it doubles with each in a row, up to five minutes */
export function createTargetPause(firstMs: number, nowMs: () => number): TargetPause {
  let failures = 0;
  let untilMs = 0;
  return {
    isFailing: () => failures > 0,
    remainingMs: () => untilMs - nowMs(),
    failed(retryAfterMs = 0) {
      // Those that were in flight together are one failure.
      if (nowMs() >= untilMs) failures++;
      const pauseMs = Math.max(withJitter(backoffDelay(firstMs, failures, MAX_PAUSE_MS)), retryAfterMs);
      untilMs = Math.max(untilMs, nowMs() + pauseMs);
      return pauseMs;
    },
    succeeded() {
      failures = 0;
    },
  };
}
