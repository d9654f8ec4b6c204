import { setImmediate } from 'node:timers/promises';

/** How long a loop works at a stretch before others get a turn. */
const STRETCH_MS = 5;

/** Gives others a turn in a long loop that would otherwise keep the main thread to itself. */
export interface Turns {
  /**
   * Called at each step of the loop, which may take several at once.
   *
   * @returns what to wait for, once others have waited for long enough; `undefined` at most steps, where an `await` would cost more than the
   *   step
   */
  give(): Promise<void> | undefined;
}

export function createTurns(): Turns {
  let endedMs = performance.now();
  // One for all steps that wait: with one each, they would go on one after the other, each for as long as all may.
  let turn: Promise<void> | undefined;
  return {
    give() {
      if (performance.now() - endedMs < STRETCH_MS) return undefined;
      turn ??= setImmediate().then(() => {
        endedMs = performance.now();
        turn = undefined;
      });
      return turn;
    },
  };
}
