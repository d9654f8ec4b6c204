import { onTestFinished } from 'vitest';
import type { ConsumeOptions, Job, UnitQueue } from '../../../src/queue/queue.ts';

export interface TestConsumer {
  /** The units of the jobs that were delivered, in the order in which they started. */
  units: string[];
  /** Returns how often the job of this unit was delivered. */
  count(unit: string): number;
  /** Resolves when this many deliveries have started. */
  started(count: number): Promise<void>;
  /** Resolves when the condition holds. It is checked after each delivery and each error. */
  until(condition: () => boolean): Promise<void>;
  /** The errors passed to `onError`. */
  errors: { error: unknown; unit: string | undefined }[];
  /** Aborts the signal, and resolves when `consume` does. */
  stop(): Promise<void>;
}

export interface TestConsumerOptions {
  handle?: (job: Job) => void | Promise<void>;
  onGiveUp?: ConsumeOptions['onGiveUp'];
  concurrency?: number;
}

/** Consumes until it is stopped or the test is over. */
export function startConsumer(
  queue: UnitQueue,
  { handle = () => {}, onGiveUp, concurrency = 10 }: TestConsumerOptions = {},
): TestConsumer {
  const units: string[] = [];
  const errors: TestConsumer['errors'] = [];
  const checks = new Set<() => void>();
  const checkAll = () => {
    for (const check of checks) check();
  };
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        checks.delete(check);
        resolve();
      };
      checks.add(check);
      check();
    });
  const controller = new AbortController();
  const ended = queue.consume(
    async (job) => {
      units.push(job.unit);
      checkAll();
      await handle(job);
    },
    {
      concurrency,
      signal: controller.signal,
      onGiveUp,
      onError: (error, job) => {
        errors.push({ error, unit: job?.unit });
        checkAll();
      },
    },
  );
  onTestFinished(() => controller.abort());
  return {
    units,
    count: (unit) => units.filter((each) => each === unit).length,
    started: (count) => until(() => units.length >= count),
    until,
    errors,
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

/** A gate that is closed until it is opened for good. */
export function createGate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Returns this many jobs, for units that are named `unit-1`, `unit-2` and so on. */
export function makeJobs(count: number, images = 2): Job[] {
  return Array.from({ length: count }, (_, index) => ({ unit: `unit-${index + 1}`, images, retry: false }));
}

export function unitsOf(jobs: readonly Job[]): string[] {
  return jobs.map(({ unit }) => unit);
}
