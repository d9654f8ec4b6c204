/** Why a step is given up: it has taken too much CPU time, or waits for CPU time for too long. */
export type Excess = 'time' | 'starved';

/** The limit of one step of work in a process. */
export interface StepLimit {
  /**
   * To be called about once a second while the step lasts.
   *
   * @param cpuSeconds - the CPU time that the process has taken so far; `undefined` if that is not known
   * @param nowMs - of a monotonic clock
   * @returns why to give the step up; `undefined` to go on
   */
  check(cpuSeconds: number | undefined, nowMs: number): Excess | undefined;
}

/** A step that takes this many times as long as its CPU time may is given up: the machine has no CPU time for it. */
const MAX_STRETCH = 4;

/**
 * Limits a step by its CPU time, so that no image is to blame for the load of the machine.
 *
 * @param maxCpuSeconds - of the process since the first check
 */
export function createStepLimit(maxCpuSeconds: number): StepLimit {
  let first: { cpuSeconds: number | undefined; ms: number } | undefined;
  return {
    check(cpuSeconds, nowMs) {
      first ??= { cpuSeconds, ms: nowMs };
      const elapsed = (nowMs - first.ms) / 1000;
      const used = cpuSeconds === undefined ? elapsed : cpuSeconds - (first.cpuSeconds ?? 0);
      if (used >= maxCpuSeconds) return 'time';
      return elapsed >= maxCpuSeconds * MAX_STRETCH ? 'starved' : undefined;
    },
  };
}
