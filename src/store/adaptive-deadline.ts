/** A deadline that follows how long operations take: short where they are quick, longer where they are slow. */
export interface AdaptiveDeadline {
  /**
   * Runs an operation. When its deadline passes, it goes on, but is no longer waited for.
   *
   * @param options.extraMs - added to the deadline, in milliseconds
   * @param options.onLate - called when the operation ends after its deadline
   * @throws what the operation throws, or a `TimeoutError`
   */
  run<T>(operation: () => Promise<T>, options: { extraMs: number; onLate: () => void }): Promise<T>;
}

/** The weights of a new measurement (RFC 6298, section 2). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
/** Mean and so many deviations are the time after which TCP sends again; a deadline is twice that, since nothing is sent again. */
const DEVIATIONS = 4;
const SLACK = 2;
/** The timer runs in so many parts. An event loop that was blocked makes one part late, in which answers that are there can be read. */
const PARTS = 4;

/**
 * Creates a deadline between bounds, in milliseconds. It is the longest before anything was measured, since the first operation connects,
 * and the shortest while the last operation did not end within the longest: one that is slow, but answers, gets more time again.
 */
export function createAdaptiveDeadline({ minMs, maxMs }: { minMs: number; maxMs: number }): AdaptiveDeadline {
  let meanMs: number | undefined;
  let deviationMs = 0;
  let wasLate = false;

  function measure(ms: number): void {
    if (meanMs === undefined) {
      meanMs = ms;
      deviationMs = ms / 2;
      return;
    }
    deviationMs += DEVIATION_WEIGHT * (Math.abs(ms - meanMs) - deviationMs);
    meanMs += MEAN_WEIGHT * (ms - meanMs);
  }

  function deadlineMs(): number {
    if (wasLate) return minMs;
    if (meanMs === undefined) return maxMs;
    return Math.min(Math.max(SLACK * (meanMs + DEVIATIONS * deviationMs), minMs), maxMs);
  }

  return {
    run(operation, { extraMs, onLate }) {
      const startMs = performance.now();
      return new Promise((resolve, reject) => {
        let isLate = false;
        let parts = PARTS;
        const timeMs = deadlineMs() + extraMs;
        const timer = setInterval(() => {
          if (--parts > 0) return;
          clearInterval(timer);
          isLate = true;
          wasLate = true;
          reject(timeoutError(timeMs));
        }, timeMs / PARTS);
        const end = (settle: () => void) => {
          clearInterval(timer);
          if (isLate) onLate();
          else settle();
        };
        operation().then(
          (result) => {
            const ms = performance.now() - startMs;
            measure(ms);
            if (ms <= maxMs + extraMs) wasLate = false;
            end(() => resolve(result));
          },
          (error) => end(() => reject(error)),
        );
      });
    },
  };
}

function timeoutError(timeMs: number): Error {
  const error = new Error(`no answer within ${Math.round(timeMs)} ms`);
  error.name = 'TimeoutError';
  return error;
}
