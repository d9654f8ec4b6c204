import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Cdn } from './cdn/cdn.ts';
import { baseUrlOf, type Config } from './config.ts';
import { sha256 } from './hashing.ts';
import type { Notifications } from './notify/notifications.ts';
import { completedEvent, failedEvent, type UnitSubmission } from './notify/unit-event.ts';
import { unitCacheTag } from './protocol/keys.ts';
import type { Job, UnitQueue } from './queue/queue.ts';
import { splitLargeJobs } from './queue/split-jobs.ts';
import type { Services } from './services.ts';
import { createUnboundedSlots } from './source/host-slots.ts';
import { createWithRetry } from './source/retry.ts';
import { createSourceRecords } from './source/source-records.ts';
import { createStoredHostSlots } from './source/stored-host-slots.ts';
import { parseTraceparent } from './telemetry/traceparent.ts';
import { createIngestObject, type IngestObject } from './unit/ingest-object.ts';
import { createLogJobError } from './unit/log-job-error.ts';
import type { ImageOutcome } from './unit/outcome.ts';
import type { EndedUnit } from './unit/unit-results.ts';
import { createUnits, type Units } from './unit/units.ts';

/** Called with the outcome of each image. */
export type OnOutcome = (outcome: ImageOutcome) => void;

/** What works on data units. */
export interface UnitServices {
  units: Units;
  queue: UnitQueue;
  cdn: Cdn;
  /**
   * Does what a job asks for.
   *
   * @throws the error of the store, the queue or the CDN: the job has to be retried
   */
  processJob(job: Job, onOutcome: OnOutcome): Promise<void>;
  /** Records that a job is given up, and tells the targets of `NOTIFY`. */
  failJob(job: Job, error: unknown): Promise<void>;
  /**
   * Puts the units of a new object in S3 on the queue, until `drain` is called or the signal aborts.
   *
   * @throws Error that says why that could not be done
   */
  ingestObject: IngestObject;
  notifications: Notifications;
  /** Starts to process the jobs on the queue, until `drain` is called. */
  startWorker(onOutcome: OnOutcome): void;
  /**
   * Starts no more work, gives up what is not done in a few seconds, and resolves when nothing is in flight. Other jobs stay on the queue, and
   * what was given up.
   */
  drain(): Promise<void>;
}

export interface UnitServicesOptions {
  /** The most fetches in flight from one host, of this process. Default: 8, or without an SQS queue `PREWARM_FETCHES_PER_HOST`. */
  fetchesPerHost?: number;
  /** Once it aborts, no more work is started, as after `drain`. */
  signal?: AbortSignal;
}

const FETCHES_PER_HOST = 8;
/** With an SQS queue, of all processes together. */
const SHARED_FETCHES_PER_HOST = 32;
/** More than the encoders, so that slow sources do not leave them idle; each source in flight is held in memory. */
const MIN_CONCURRENT_SOURCES = 16;
/** Enough that units of a slow host hold up few others, and few enough to leave other processes their share of the queue. */
const CONCURRENT_UNITS = 64;

/**
 * For so long, work in flight may go on once no more is started: some takes a minute. Images that are given up stay pending. Docker kills a
 * container after ten seconds.
 */
const FINISH_MS = 8_000;

/** Composition root of the work on units, on top of the services that serve images. */
export async function createUnitServices(
  config: Config,
  log: Logger,
  { shared, s3Client }: Pick<Services, 'shared' | 's3Client'>,
  options: UnitServicesOptions = {},
): Promise<UnitServices> {
  const isShared = config.queue.kind === 'sqs';
  const limitPerHost = config.prewarmFetchesPerHost ?? (isShared ? SHARED_FETCHES_PER_HOST : undefined);
  const { fetchesPerHost = isShared ? FETCHES_PER_HOST : (limitPerHost ?? FETCHES_PER_HOST) } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  // Every fetch that waits adds a listener.
  setMaxListeners(0, signal);
  const abandon = new AbortController();
  setMaxListeners(0, abandon.signal);
  const logJobError = createLogJobError(log);
  const queue = splitLargeJobs(await shared.queue());
  const { notifications, nowMs } = shared;
  const hostSlots =
    isShared && limitPerHost !== undefined
      ? createStoredHostSlots({
          ...{ store: shared.store, sha256, limit: limitPerHost, signal, nowMs },
          fetchTimeoutMs: config.sourceTimeoutMs,
          onError: (error) => log.warn({ err: error }, 'slots of a host could not be leased'),
        })
      : createUnboundedSlots();
  const allUnits = createUnits({
    ...shared,
    makeVariants: (batch, trace) => shared.makeVariants({ ...batch, signal: abandon.signal }, trace),
    // Not the best-effort store: here, a store that cannot be read is an error and not a miss.
    records: createSourceRecords(shared.store, shared.nowMs, sha256),
    withRetry: createWithRetry({ signal, concurrencyPerHost: fetchesPerHost }),
    hostSlots,
    maxSourcesInMemory: Math.max(MIN_CONCURRENT_SOURCES, 8 * config.concurrency),
    signal,
    effort: config.prewarmEffort,
    baseUrl: baseUrlOf(config),
    signingKey: config.signingKeys[0],
  });
  const units: Units = {
    ...allUnits,
    async sweep(until) {
      const sweepPacks = async () => {
        await allUnits.takeUpSubmissions(queue);
        await allUnits.sweepPacks(until);
      };
      const giveUpCutOff = () => allUnits.lastAttempts.takeUp(failJob);
      await Promise.all([allUnits.sweep(until), sweepPacks(), giveUpCutOff(), notifications.takeUp()]);
    },
  };

  const ingestObject = createIngestObject({
    ...{ units, queue, log, signal, from: config.ingestFrom },
    defaults: { ladder: config.ladder, prewarm: config.prewarm },
    async open(object) {
      const { openS3Object } = await import('./store/s3-object.ts');
      return await openS3Object(await s3Client(), object, signal);
    },
  });

  function processJob(job: Job, onOutcome: OnOutcome): Promise<void> {
    const parent = parseTraceparent(job.traceparent);
    return shared.tracing.runJob({ 'edgepress.unit': job.unit }, parent, () => doJob(job, onOutcome));
  }

  async function doJob(job: Job, onOutcome: OnOutcome): Promise<void> {
    if (job.upgrade) return await units.upgrade(job.unit, job.upgrade);
    if (!job.invalidate) return await prewarm(job, onOutcome);
    const invalidation = shared.cdn.invalidate([unitCacheTag(job.unit, shared.sha256)]);
    // A CDN may be busy for any length of time. After an abort, the job is retried later.
    await abortable(invalidation, signal);
  }

  async function prewarm(job: Job, onOutcome: OnOutcome): Promise<void> {
    const prewarmed = await units.prewarm(job, onOutcome);
    if (!prewarmed) log.info({ unit: job.unit }, 'not prewarmed: the unit was purged');
    const finished = await units.results.finish(job, prewarmed);
    if (!finished) return;
    await notifications.announce(completedEvent(submissionOf(finished), finished.summary, nowMs()));
    await units.results.record(finished);
  }

  async function failJob(job: Job, error: unknown): Promise<void> {
    const failed = await units.results.fail(job);
    if (!failed) return;
    const detail = error instanceof Error ? error.message : String(error);
    await notifications.announce(failedEvent(submissionOf(failed), detail, nowMs()));
    await units.results.record(failed);
  }

  let worker: Promise<void> | undefined;
  return {
    units,
    queue,
    cdn: shared.cdn,
    processJob,
    failJob,
    ingestObject,
    notifications,
    startWorker(onOutcome) {
      notifications.start({ takesUp: true });
      worker = queue.consume((job) => processJob(job, onOutcome), {
        concurrency: CONCURRENT_UNITS,
        signal,
        onError: (error, job) => {
          if (signal.aborted) log.info({ unit: job?.unit }, 'left on the queue');
          else logJobError(error, job);
        },
        onGiveUp: failJob,
        onLastAttempt: units.lastAttempts.begin,
        ingestObject,
      });
    },
    async drain() {
      const reason = new Error('the process is ending');
      stop.abort(reason);
      setTimeout(() => abandon.abort(reason), FINISH_MS).unref();
      await worker;
      await hostSlots.close();
      await notifications.stop();
    },
  };
}

function submissionOf({ manifest: { id, receivedAt } }: EndedUnit): UnitSubmission {
  return { unit: id, submittedAt: receivedAt };
}

/**
 * Waits for a promise or an abort, whichever is first. The work itself is not cancelled.
 *
 * @throws the signal's reason once it aborts
 */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
