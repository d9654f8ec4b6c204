import type PQueue from 'p-queue';
import { isCrowded } from '../source/host-slots.ts';
import type { ConsumeOptions, Job } from './queue.ts';

/** When a job is to be tried again whose images could not be fetched, since other processes fetch as much from their host as is allowed. */
export const POSTPONE_SECONDS = 120;

export interface FailedJob {
  job: Job;
  error: unknown;
}

export interface RunJobsOptions extends Pick<ConsumeOptions, 'signal' | 'onError'> {
  handle: (job: Job) => Promise<void>;
  /** Bounds the jobs in flight, of all messages together. */
  pool: PQueue;
}

/** Does the jobs of a message. Returns those that failed, and those that did not start or were interrupted because the signal aborted. */
export async function runJobs(jobs: readonly Job[], { handle, pool, signal, onError }: RunJobsOptions) {
  let isStarted = false;
  const failed: FailedJob[] = [];
  const runJob = async (job: Job): Promise<'done' | 'failed' | 'stopped' | 'postponed'> => {
    if (signal.aborted) return 'stopped';
    isStarted = true;
    try {
      await handle(job);
      return 'done';
    } catch (error) {
      // After an abort, an error means that the job was interrupted, not that it failed.
      if (signal.aborted) return 'stopped';
      if (isCrowded(error)) return 'postponed';
      onError(error, job);
      failed.push({ job, error });
      return 'failed';
    }
  };
  const results = await Promise.all(jobs.map((job) => pool.add(() => runJob(job))));
  return {
    // In the order of the jobs.
    failed: jobs.flatMap((job) => failed.filter((each) => each.job === job)),
    stopped: jobs.filter((_, index) => results[index] === 'stopped'),
    postponed: jobs.filter((_, index) => results[index] === 'postponed'),
    isStarted,
  };
}
