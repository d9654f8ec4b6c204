import pMap from 'p-map';
import type { VariantStore } from '../store/store.ts';
import { backoffDelay, sleep } from '../backoff.ts';
import { createJobPrefetch, type JobPrefetch } from './job-prefetch.ts';
import { assertJobs, type ConsumeOptions, type Job, type UnitQueue } from './queue.ts';
import { createStoredJobs, encode, type StoredJob, type StoredJobs } from './stored-jobs.ts';

/** How many jobs are put into the store at once: in a folder each put waits for the disk, which flushes many as fast as one. */
const PUTS_AT_ONCE = 32;
/** How many keys are in memory, however many jobs wait. Each time it runs low the folder is listed, so not too few. */
const WINDOW_SIZE = 1000;
/** A failed job waits 5, 10, 20 s and so on, half an hour in all: what fails is ours, a store mostly, and comes back. */
const RETRY_DELAY_MS = 5000;
const MAX_RETRY_DELAY_MS = 300_000;
const MAX_ATTEMPTS = 12;

export interface LocalQueueOptions {
  /** Where jobs are kept, under `queue/`, and dead letters, under `dead-letters/`. */
  store: VariantStore;
  /** How long a job that has failed waits: this, then twice as long with each failure, up to five minutes. */
  retryDelayMs?: number;
  /** How often a job may fail. */
  maxAttempts?: number;
  /** Unix milliseconds. */
  nowMs?: () => number;
}

/**
 * A queue within one process. What it accepts lies in the store, so that the next process takes it up: each job a small
 * plain file, or object, removed when it is done. A fault of the store stops it only for as long as it lasts.
 *
 * Another process may send to the same store, but is heard only when this one looks there again. If several consume, jobs are
 * done more than once.
 */
export function createLocalQueue({
  store,
  retryDelayMs = RETRY_DELAY_MS,
  maxAttempts = MAX_ATTEMPTS,
  nowMs = Date.now,
}: LocalQueueOptions): UnitQueue {
  const jobs = createStoredJobs(store);
  const window = createJobPrefetch({
    list: jobs.list,
    size: WINDOW_SIZE,
    maxWaitMs: MAX_RETRY_DELAY_MS,
    nowMs,
  });
  let consumers = 0;
  const delayMs = (failures: number) => backoffDelay(retryDelayMs, failures, MAX_RETRY_DELAY_MS);

  async function add(job: StoredJob, dueMs: number): Promise<void> {
    await jobs.add(job, dueMs);
    window.wake();
  }

  return {
    async send(sent) {
      assertJobs(sent);
      const addOne = ({ unit, images, retry, invalidate, upgrade }: Job) =>
        add({ unit, images, retry, invalidate, upgrade, attempts: 0 }, nowMs());
      await pMap(sent, addOne, { concurrency: PUTS_AT_ONCE });
    },

    async consume(handle, options) {
      const worker: Worker = { jobs, window, add, handle, delayMs, maxAttempts, nowMs, ...options };
      consumers += 1;
      await consumeJobs(worker);
      consumers -= 1;
    },

    /** A consumer looks for itself often enough. */
    depth: () => jobs.count({ fresh: consumers === 0 }),
  };
}

interface Worker extends ConsumeOptions {
  jobs: StoredJobs;
  window: JobPrefetch;
  add(job: StoredJob, dueMs: number): Promise<void>;
  handle(job: Job): Promise<void>;
  /** After so many failures in a row. */
  delayMs(failures: number): number;
  maxAttempts: number;
  nowMs: () => number;
}

async function consumeJobs(worker: Worker): Promise<void> {
  const inHand = new Set<Promise<void>>();
  for (;;) {
    while (inHand.size >= worker.concurrency) await Promise.race(inHand);
    const key = await nextKey(worker);
    if (key === undefined) break;
    const work = doJob(key, worker).finally(() => inHand.delete(work));
    inHand.add(work);
  }
  await Promise.all(inHand);
}

async function nextKey({ window, delayMs, signal, report }: Worker): Promise<string | undefined> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await window.take(signal);
    } catch (fault) {
      report(fault);
      await sleep(delayMs(failures), signal);
    }
  }
}

async function doJob(key: string, worker: Worker): Promise<void> {
  const { jobs, window, delayMs, signal, report } = worker;
  try {
    const found = await jobs.read(key);
    // Another process has done it. Or what was listed is no object, and would be listed for ever.
    if (found.state === 'gone') return window.ignore(key);
    if (found.state === 'damaged') {
      report(new Error(`${key} is no job: it now lies with the dead letters`, { cause: found.fault }));
      await persist(() => jobs.moveToDeadLetters(key, found.body), worker);
    } else {
      await handleJob(key, found.job, worker);
    }
    await persist(() => jobs.remove(key), worker);
    window.release(key);
  } catch (fault) {
    report(fault);
    await sleep(delayMs(1), signal);
    window.putBack(key);
  }
}

/** When it returns, nothing more has to be known of the job at this key. */
async function handleJob(key: string, stored: StoredJob, worker: Worker): Promise<void> {
  const { jobs, add, handle, delayMs, maxAttempts, nowMs, signal, report } = worker;
  const { attempts: failuresBefore, ...job } = stored;
  try {
    await handle(job);
  } catch (fault) {
    // A job that was cut short has not failed: it stays as it is, for the next process.
    if (signal.aborted) throw fault;
    const attempts = failuresBefore + 1;
    const failed = { ...job, attempts };
    if (attempts < maxAttempts) {
      report(fault, job);
      await persist(() => add(failed, nowMs() + delayMs(attempts)), worker);
    } else {
      report(new Error(`failed ${attempts} times: it now lies with the dead letters`, { cause: fault }), job);
      await persist(() => jobs.moveToDeadLetters(key, encode({ ...failed, fault: String(fault) })), worker);
    }
  }
}

/**
 * Writes down what became of a job, as often as that needs: whoever took up the next one meanwhile would only do more that cannot
 * be written down.
 *
 * @throws the fault, once there is no time left to try again
 */
async function persist(write: () => Promise<void>, { delayMs, signal, report }: Worker): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await write();
    } catch (fault) {
      if (signal.aborted) throw fault;
      report(fault);
      await sleep(delayMs(failures), signal);
    }
  }
}
