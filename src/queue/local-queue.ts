import pMap from 'p-map';
import { backoffDelay, sleep } from '../backoff.ts';
import type { VariantStore } from '../store/store.ts';
import { createJobPrefetch, type JobPrefetch } from './job-prefetch.ts';
import { assertJobs, type ConsumeOptions, type Job, type UnitQueue } from './queue.ts';
import { createStoredJobs, encodeStoredJob, type StoredJob, type StoredJobs } from './stored-jobs.ts';

/** The most puts in flight of one send. In a folder, a put mostly waits for the disk, which flushes many files as fast as one. */
const PUT_CONCURRENCY = 32;
/** The most keys in memory, however many jobs wait. Each time few are left, the folder is listed, so the number must not be small. */
const PREFETCH_SIZE = 1000;
/**
 * The delay before the second attempt of a job that failed; it doubles with each failure: 5, 10, 20 s and so on, half an hour in all.
 * A job fails when something of ours does, usually the store, which recovers.
 */
const RETRY_DELAY_MS = 5000;
const MAX_RETRY_DELAY_MS = 300_000;
const MAX_ATTEMPTS = 12;

export interface LocalQueueOptions {
  /** Holds jobs under `queue/` and dead letters under `dead-letters/`. */
  store: VariantStore;
  /** The delay before the second attempt of a job that failed; it doubles with each failure, up to five minutes. Default: 5,000. */
  retryDelayMs?: number;
  /** A job that has failed this often becomes a dead letter. Default: 12. */
  maxAttempts?: number;
  /** Unix milliseconds. */
  nowMs?: () => number;
}

/**
 * Returns a queue within one process. Jobs are in the store, so that the next process continues with them: each is a small plain file
 * or object, which is removed when the job is done. An error of the store stops the queue only for as long as it lasts.
 *
 * Another process may send to the same store, but its jobs are found only when this process lists the store again. If several
 * processes consume, jobs are done more than once.
 */
export function createLocalQueue({
  store,
  retryDelayMs = RETRY_DELAY_MS,
  maxAttempts = MAX_ATTEMPTS,
  nowMs = Date.now,
}: LocalQueueOptions): UnitQueue {
  const jobs = createStoredJobs(store);
  const prefetch = createJobPrefetch({
    list: jobs.list,
    size: PREFETCH_SIZE,
    maxDelayMs: MAX_RETRY_DELAY_MS,
    nowMs,
  });
  let consumers = 0;
  const delayMs = (failures: number) => backoffDelay(retryDelayMs, failures, MAX_RETRY_DELAY_MS);

  async function add(job: StoredJob, dueMs: number): Promise<void> {
    await jobs.add(job, dueMs);
    prefetch.wake();
  }

  return {
    async send(sent) {
      assertJobs(sent);
      const addJob = ({ unit, images, retry, invalidate, upgrade, traceparent }: Job) =>
        add({ unit, images, retry, invalidate, upgrade, traceparent, attempts: 0 }, nowMs());
      await pMap(sent, addJob, { concurrency: PUT_CONCURRENCY });
    },

    async consume(handle, options) {
      consumers += 1;
      await consume({ jobs, prefetch, add, handle, delayMs, maxAttempts, nowMs, ...options });
      consumers -= 1;
    },

    wake: () => prefetch.wake(),

    /** A consumer lists the store often enough to keep the count right. */
    depth: () => jobs.count({ fresh: consumers === 0 }),
  };
}

interface Consumer extends ConsumeOptions {
  jobs: StoredJobs;
  prefetch: JobPrefetch;
  add(job: StoredJob, dueMs: number): Promise<void>;
  handle(job: Job): Promise<void>;
  /** The delay after this many failures in a row. */
  delayMs(failures: number): number;
  maxAttempts: number;
  nowMs: () => number;
}

async function consume(consumer: Consumer): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  for (;;) {
    while (inFlight.size >= consumer.concurrency) await Promise.race(inFlight);
    const key = await takeKey(consumer);
    if (key === undefined) break;
    const work = consumeJob(key, consumer).finally(() => inFlight.delete(work));
    inFlight.add(work);
  }
  await Promise.all(inFlight);
}

/** Returns the key of the next job that is due, or `undefined` once the signal has aborted. */
async function takeKey({ prefetch, delayMs, signal, onError }: Consumer): Promise<string | undefined> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await prefetch.take(signal);
    } catch (error) {
      onError(error);
      await sleep(delayMs(failures), signal);
    }
  }
}

async function consumeJob(key: string, consumer: Consumer): Promise<void> {
  const { jobs, prefetch, delayMs, signal, onError } = consumer;
  try {
    const read = await jobs.read(key);
    // Done by another process. Or listed without being an object: it would be listed again and again.
    if (read.state === 'gone') return prefetch.ignore(key);
    if (read.state === 'damaged') {
      onError(new Error(`${key} is not a job: moved to the dead letters`, { cause: read.error }));
      await retryWrite(() => jobs.addDeadLetter(key, read.body), consumer);
    } else {
      await processJob(key, read.job, consumer);
    }
    await retryWrite(() => jobs.remove(key), consumer);
    prefetch.release(key);
  } catch (error) {
    onError(error);
    await sleep(delayMs(1), signal);
    prefetch.putBack(key);
  }
}

/**
 * Does a job. If it fails, stores it again for the next attempt, or as a dead letter. When it resolves, the object at this key can be
 * removed.
 */
async function processJob(key: string, stored: StoredJob, consumer: Consumer): Promise<void> {
  const { jobs, add, handle, delayMs, maxAttempts, nowMs, signal, onError } = consumer;
  const { attempts: attemptsBefore, ...job } = stored;
  try {
    await handle(job);
  } catch (error) {
    // After an abort, an error means that the job was interrupted, not that it failed: it stays as it is for the next process.
    if (signal.aborted) throw error;
    const attempts = attemptsBefore + 1;
    const failed = { ...job, attempts };
    if (attempts < maxAttempts) {
      onError(error, job);
      await retryWrite(() => add(failed, nowMs() + delayMs(attempts)), consumer);
    } else {
      onError(new Error(`failed ${attempts} times: moved to the dead letters`, { cause: error }), job);
      const content = encodeStoredJob({ ...failed, fault: String(error) });
      await retryWrite(() => jobs.addDeadLetter(key, content), consumer);
    }
  }
}

/**
 * Retries a write that records the result of a job until it succeeds. Until then the job counts as in flight: starting another one
 * would only produce more results that cannot be written.
 *
 * @throws the error of the write, once the signal has aborted
 */
async function retryWrite(
  write: () => Promise<void>,
  { delayMs, signal, onError }: Pick<Consumer, 'delayMs' | 'signal' | 'onError'>,
): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted) throw error;
      onError(error);
      await sleep(delayMs(failures), signal);
    }
  }
}
