import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { sha256 } from './hashing.ts';
import { unitCacheTag } from './protocol/keys.ts';
import type { Job } from './queue/queue.ts';

/** Tasks that no request waits for: invalidations after late writes, and sending the jobs of upgrades. */
export interface BackgroundTasks {
  /** Invalidates a unit at the CDN. Errors are logged. */
  invalidate(unit: string): void;
  /** Sends the job of an upgrade to the queue. Errors are logged, and thrown to the caller as well. */
  sendUpgrade(job: Job): Promise<void>;
  /** Resolves when the tasks in flight are done. */
  drain(): Promise<void>;
}

export interface BackgroundTasksOptions {
  log: Logger;
  sendJob: (job: Job) => Promise<void>;
  /** Invalidates a cache tag at the CDN. `undefined`: invalidations are sent to the queue instead. */
  invalidateTag: ((cacheTag: string) => Promise<unknown>) | undefined;
}

export function createBackgroundTasks(options: BackgroundTasksOptions): BackgroundTasks {
  const { log, sendJob, invalidateTag } = options;
  // Without a limit: it only counts what is in flight.
  const tasks = new PQueue();
  const track = (work: Promise<unknown>, onError: (error: unknown) => void) =>
    void tasks.add(() => work.catch(onError));

  return {
    invalidate(unit) {
      const work = invalidateTag
        ? invalidateTag(unitCacheTag(unit, sha256))
        : sendJob({ unit, images: 0, retry: false, invalidate: true });
      track(work, (error) => log.error({ err: error, unit }, 'the CDN still has what was purged'));
    },
    sendUpgrade(job) {
      const sent = sendJob(job);
      track(sent, (error) => log.warn({ err: error, unit: job.unit }, 'the upgrade could not be queued'));
      return sent;
    },
    drain: () => tasks.onIdle(),
  };
}
