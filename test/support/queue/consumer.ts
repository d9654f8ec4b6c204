import { onTestFinished } from 'vitest';
import type { Job, UnitQueue } from '../../../src/queue/queue.ts';

export interface TestConsumer {
  /** What has been delivered, in the order in which handling began. */
  units: string[];
  /** How often this unit has been. */
  count(unit: string): number;
  /** Resolves when so many deliveries have begun. */
  begun(count: number): Promise<void>;
  /** Resolves when this holds, looked at after each delivery and each fault. */
  until(holds: () => boolean): Promise<void>;
  /** What was reported. */
  faults: { fault: unknown; unit: string | undefined }[];
  /** Aborts the signal, and returns what `consume` returned. */
  stop(): Promise<void>;
}

export interface TestConsumerOptions {
  handle?: (job: Job) => void | Promise<void>;
  concurrency?: number;
}

/** Consumes until it is told to stop, or the test is over. */
export function startConsumer(
  queue: UnitQueue,
  { handle = () => {}, concurrency = 10 }: TestConsumerOptions = {},
): TestConsumer {
  const units: string[] = [];
  const faults: TestConsumer['faults'] = [];
  const looks = new Set<() => void>();
  const lookAgain = () => {
    for (const look of looks) look();
  };
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  const controller = new AbortController();
  const ended = queue.consume(
    async (job) => {
      units.push(job.unit);
      lookAgain();
      await handle(job);
    },
    {
      concurrency,
      signal: controller.signal,
      report: (fault, job) => {
        faults.push({ fault, unit: job?.unit });
        lookAgain();
      },
    },
  );
  onTestFinished(() => controller.abort());
  return {
    units,
    count: (unit) => units.filter((each) => each === unit).length,
    begun: (count) => until(() => units.length >= count),
    until,
    faults,
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

/** A door that is shut, until somebody opens it for good. */
export function createGate(): { passed: Promise<void>; open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** So many jobs, of units that are called by their number. */
export function makeJobs(count: number, images = 2): Job[] {
  return Array.from({ length: count }, (_, index) => ({ unit: `unit-${index + 1}`, images, retry: false }));
}

export function unitsOf(jobs: readonly Job[]): string[] {
  return jobs.map(({ unit }) => unit);
}
