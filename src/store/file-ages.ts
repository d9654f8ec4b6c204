/**
 * How many bytes were last used when, in constant memory: 500 steps of age, each 4% longer than the one before, from a second to a century.
 */
export interface FileAges {
  /** @param usedMs - when the file was last used, in Unix milliseconds */
  add(usedMs: number, bytes: number): void;
  /** The bytes of all files. */
  bytes(): number;
  /**
   * Returns a time so that the files last used at it or before have at least this many bytes, if all files together have: the earliest
   * that the steps allow, in Unix milliseconds. For 0 bytes or less: `-Infinity`.
   */
  cutoff(bytes: number): number;
}

const STEPS = 512;
/** Steps in which the age doubles. */
const STEPS_PER_DOUBLING = 16;

/** @param nowMs - ages are counted from this time, in Unix milliseconds */
export function createFileAges(nowMs: number): FileAges {
  const bytesOfStep = new Float64Array(STEPS);
  let total = 0;
  return {
    add(usedMs, bytes) {
      const step = stepOf((nowMs - usedMs) / 1000);
      bytesOfStep[step] = (bytesOfStep[step] ?? 0) + bytes;
      total += bytes;
    },
    bytes: () => total,
    cutoff(bytes) {
      let found = 0;
      if (bytes <= 0) return Number.NEGATIVE_INFINITY;
      for (let step = STEPS - 1; step >= 0; step--) {
        found += bytesOfStep[step] ?? 0;
        if (found >= bytes && step > 0) return nowMs - ageOf(step) * 1000;
      }
      // Everything, also what was used after `nowMs`.
      return Number.POSITIVE_INFINITY;
    },
  };
}

function stepOf(seconds: number): number {
  const step = Math.floor(STEPS_PER_DOUBLING * Math.log2(1 + Math.max(0, seconds)));
  return Math.min(step, STEPS - 1);
}

/** The smallest age of a step, in seconds. */
function ageOf(step: number): number {
  return 2 ** (step / STEPS_PER_DOUBLING) - 1;
}
