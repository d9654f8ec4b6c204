import type { Logger } from 'pino';
import { type MissingResource, missingResourceOf } from '../missing-resource.ts';
import type { Job } from '../queue/queue.ts';

/** Logs why a job failed, or, without a job, why the queue did. */
export type LogJobError = (error: unknown, job?: Job) => void;

/** So often it is told again that something does not exist, however many units fail for it. */
const TELL_AGAIN_MS = 300_000;

/**
 * Returns a function that logs each failure with its unit. That a bucket or a queue does not exist fails all units: it is logged once, and
 * every five minutes again with the number of failures since.
 */
export function createLogJobError(log: Logger, nowMs: () => number = Date.now): LogJobError {
  const told = new Map<string, { atMs: number; failures: number }>();

  function tellMissing(missing: MissingResource): void {
    const { message, variable } = missing;
    const last = told.get(message);
    if (last && nowMs() - last.atMs < TELL_AGAIN_MS) {
      last.failures += 1;
      return;
    }
    told.set(message, { atMs: nowMs(), failures: 0 });
    const failures = last?.failures ?? 0;
    log.error({ variable, ...(failures > 0 && { failures }) }, `no unit can be prewarmed: ${message}`);
  }

  return (error, job) => {
    const missing = missingResourceOf(error);
    if (missing) tellMissing(missing);
    else if (job) log.error({ err: error, unit: job.unit }, 'a unit could not be prewarmed');
    else log.error({ err: error }, 'work on the queue failed');
  };
}
