import pMap from 'p-map';
import PQueue from 'p-queue';
import { backoffDelay, sleep } from '../backoff.ts';
import type { VariantStore } from '../store/store.ts';
import { createJobPrefetch, type JobPrefetch } from './job-prefetch.ts';
import { assertJobs, type ConsumeOptions, type Job, jobSchema, type UnitQueue } from './queue.ts';
import {
  createStoredJobs,
  divideIntoObjects,
  parseName,
  type StoredJob,
  type StoredJobs,
} from './stored-jobs.ts';

/** The most puts in flight of one send. In a folder, a put mostly waits for the disk, which flushes many files as fast as one. */
const PUT_CONCURRENCY = 32;
/** The most keys in memory, each of up to a hundred jobs, however many wait. Each time few are left, the folder is listed, so the number must not be small. */
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
 * Returns a queue within one process. Jobs are in the store, so that the next process continues with them: in small plain files or
 * objects, which are removed when their jobs are done. An error of the store stops the queue only for as long as it lasts.
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

  async function add(added: readonly StoredJob[], dueMs: number): Promise<void> {
    await jobs.add(added, dueMs);
    prefetch.wake();
  }

  return {
    async send(sent) {
      assertJobs(sent);
      const stored = sent.map((job) => ({ ...jobSchema.parse(job), attempts: 0 }));
      await pMap(divideIntoObjects(stored), (part) => add(part, nowMs()), { concurrency: PUT_CONCURRENCY });
    },

    async consume(handle, options) {
      consumers += 1;
      const pool = new PQueue({ concurrency: options.concurrency });
      await consume({ jobs, prefetch, pool, add, handle, delayMs, maxAttempts, nowMs, ...options });
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
  /** Bounds the jobs in flight. */
  pool: PQueue;
  /** Stores jobs in one object. */
  add(jobs: readonly StoredJob[], dueMs: number): Promise<void>;
  handle(job: Job): Promise<void>;
  /** The delay after this many failures in a row. */
  delayMs(failures: number): number;
  maxAttempts: number;
  nowMs: () => number;
}

async function consume(consumer: Consumer): Promise<void> {
  const { pool, concurrency } = consumer;
  const inFlight = new Set<Promise<void>>();
  for (;;) {
    while (inFlight.size >= concurrency) await Promise.race(inFlight);
    // Jobs that cannot start yet stay in the store.
    while (pool.size > 0) await new Promise<void>((resolve) => pool.once('next', resolve));
    const key = await takeKey(consumer);
    if (key === undefined) break;
    const work = consumeObject(key, consumer).finally(() => inFlight.delete(work));
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

async function consumeObject(key: string, consumer: Consumer): Promise<void> {
  const { jobs, prefetch, delayMs, signal, onError } = consumer;
  try {
    const read = await jobs.read(key);
    // Done by another process. Or listed without being an object: it would be listed again and again.
    if (read.state === 'gone') return prefetch.ignore(key);
    if (read.state === 'damaged') {
      onError(new Error(`${key} is not a job: moved to the dead letters`, { cause: read.error }));
      await retryWrite(() => jobs.addDamaged(key, read.body), consumer);
    } else {
      await processJobs(key, read.jobs, consumer);
    }
    await retryWrite(() => jobs.remove(key), consumer);
    prefetch.release(key);
  } catch (error) {
    if (!(error instanceof Stopped)) onError(error);
    await sleep(delayMs(1), signal);
    prefetch.putBack(key);
  }
}

/** Thrown when the signal aborts before any of these jobs has ended: what is in the store stays as it is. */
class Stopped extends Error {}

/**
 * Does the jobs of an object. Those that fail are stored again, each alone. Those that the signal stops are stored again together if others
 * are done. When it resolves, the object at this key can be removed.
 */
async function processJobs(key: string, stored: readonly StoredJob[], consumer: Consumer): Promise<void> {
  const { pool, add, signal, onError, nowMs } = consumer;
  const errors: unknown[] = [];
  const process = async (job: StoredJob): Promise<StoredJob[]> => {
    if (signal.aborted) return [job];
    try {
      await processJob(key, job, consumer);
      return [];
    } catch (error) {
      errors.push(error);
      return [job];
    }
  };
  const stopped = (await Promise.all(stored.map((job) => pool.add(() => process(job))))).flat();
  if (stopped.length === 0) return;
  if (stopped.length === stored.length) throw errors[0] ?? new Stopped();
  for (const error of errors) onError(error);
  await retryWrite(() => add(stopped, parseName(key)?.dueMs ?? nowMs()), consumer);
}

/** Does a job. If it fails, stores it again for the next attempt, or as a dead letter. */
async function processJob(key: string, stored: StoredJob, consumer: Consumer): Promise<void> {
  const { add, handle, delayMs, maxAttempts, nowMs, signal, onError } = consumer;
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
      await retryWrite(() => add([failed], nowMs() + delayMs(attempts)), consumer);
    } else {
      onError(new Error(`failed ${attempts} times: moved to the dead letters`, { cause: error }), job);
      await retryWrite(async () => await consumer.onGiveUp?.(job, error), consumer);
      const letter = { ...failed, fault: String(error) };
      await retryWrite(() => consumer.jobs.addDeadLetter(key, letter), consumer);
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
