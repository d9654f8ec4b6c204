import { createStepLimit, type Excess, type StepLimit } from './step-limit.ts';

/** The steps of work in a process whose responses have not come. */
export interface Steps<Key> {
  /**
   * Adds a step.
   *
   * @param maxCpuSeconds - the CPU time that it may take
   * @returns what it is resolved or rejected with
   */
  add<Result>(key: Key, maxCpuSeconds: number): Promise<Result>;
  resolve(key: Key, result: unknown): void;
  reject(key: Key, error: Error): void;
  rejectAll(error: Error): void;
  /** Resolves when there are none. */
  idle(): Promise<void>;
}

export interface StepsOptions {
  /** Returns the CPU time that the process has taken; see {@link StepLimit}. */
  cpuSeconds: () => number | undefined;
  /** Called when there is a first step, and when there is none any more. */
  onBusy: (isBusy: boolean) => void;
  /** Called when a step exceeds its limit. It stays until it is rejected. */
  onExcess: (excess: Excess) => void;
}

interface Step {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
  limit: StepLimit;
}

const CHECK_INTERVAL_MS = 1000;

export function createSteps<Key>({ cpuSeconds, onBusy, onExcess }: StepsOptions): Steps<Key> {
  const steps = new Map<Key, Step>();
  const idle: (() => void)[] = [];
  let checks: NodeJS.Timeout | undefined;

  function check(): void {
    const used = cpuSeconds();
    for (const { limit } of steps.values()) {
      const excess = limit.check(used, performance.now());
      if (excess) onExcess(excess);
    }
  }

  /** Returns the step, which is over. */
  function take(key: Key): Step | undefined {
    const step = steps.get(key);
    steps.delete(key);
    if (step && steps.size === 0) {
      clearInterval(checks);
      onBusy(false);
      for (const resolve of idle.splice(0)) resolve();
    }
    return step;
  }

  return {
    add(key, maxCpuSeconds) {
      if (steps.size === 0) {
        checks = setInterval(check, CHECK_INTERVAL_MS);
        onBusy(true);
      }
      return new Promise((resolve, reject) => {
        steps.set(key, { resolve, reject, limit: createStepLimit(maxCpuSeconds) });
      });
    },
    resolve(key, result) {
      take(key)?.resolve(result as never);
    },
    reject(key, error) {
      take(key)?.reject(error);
    },
    rejectAll(error) {
      for (const key of [...steps.keys()]) take(key)?.reject(error);
    },
    async idle() {
      if (steps.size > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
