import { backoffDelay } from '../backoff.ts';

/** How long a process lived that has died. */
export interface Life {
  ms: number;
  /** Whether it came so far as to accept requests. */
  hasListened: boolean;
}

/** What to do after processes have died. */
export interface RestartDelay {
  /** Returns how long to wait, in milliseconds, before one that has died is started again. */
  afterDeath(life: Life): number;
  /** Returns whether so many have died before they accepted requests that the next one will not either. */
  isHopeless(): boolean;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** One that dies later than this did not die because of how it was started, or of what it has worked on since. */
const STEADY_MS = 60_000;
const MAX_FAILED_STARTS = 5;

/** Returns delays that double with each process that dies soon, up to ten seconds. */
export function createRestartDelay(): RestartDelay {
  let shortLives = 0;
  let failedStarts = 0;
  return {
    afterDeath({ ms, hasListened }) {
      shortLives = ms < STEADY_MS ? shortLives + 1 : 1;
      failedStarts = hasListened ? 0 : failedStarts + 1;
      return backoffDelay(FIRST_DELAY_MS, shortLives, MAX_DELAY_MS);
    },
    isHopeless: () => failedStarts >= MAX_FAILED_STARTS,
  };
}
