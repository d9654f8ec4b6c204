import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Cdn } from './cdn/cdn.ts';
import { baseUrlOf, type Config } from './config.ts';
import { sha256 } from './hashing.ts';
import { unitCacheTag } from './protocol/keys.ts';
import type { Job, UnitQueue } from './queue/queue.ts';
import type { Services } from './services.ts';
import { createWithRetry } from './source/retry.ts';
import { createSourceRecords } from './source/source-records.ts';
import { parseTraceparent } from './telemetry/traceparent.ts';
import type { ImageOutcome } from './unit/outcome.ts';
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
  /** Starts to process the jobs on the queue, until `drain` is called. */
  startWorker(onOutcome: OnOutcome): void;
  /** Starts no more work, and resolves when the work in flight is done. Other jobs stay on the queue. */
  drain(): Promise<void>;
}

export interface UnitServicesOptions {
  /** The most fetches in flight from one host. Default: 8. */
  fetchesPerHost?: number;
  /** Once it aborts, no more work is started, as after `drain`. */
  signal?: AbortSignal;
}

const FETCHES_PER_HOST = 8;
/** More than the encoders, so that slow sources do not leave them idle; each source in flight is held in memory. */
const MIN_CONCURRENT_SOURCES = 16;
/** Enough that units of a slow host hold up few others, and few enough to leave other processes their share of the queue. */
const CONCURRENT_UNITS = 64;

/** Composition root of the work on units, on top of the services that serve images. */
export async function createUnitServices(
  config: Config,
  log: Logger,
  { shared }: Pick<Services, 'shared'>,
  options: UnitServicesOptions = {},
): Promise<UnitServices> {
  const { fetchesPerHost = FETCHES_PER_HOST } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  // Every fetch that waits adds a listener.
  setMaxListeners(0, signal);
  const queue = await shared.queue();
  const allUnits = createUnits({
    ...shared,
    // Not the best-effort store: here, a store that cannot be read is an error and not a miss.
    records: createSourceRecords(shared.store, shared.nowMs, sha256),
    withRetry: createWithRetry({ signal, concurrencyPerHost: fetchesPerHost }),
    maxSourcesInMemory: Math.max(MIN_CONCURRENT_SOURCES, 8 * config.concurrency),
    signal,
    effort: config.prewarmEffort,
    baseUrl: baseUrlOf(config),
    signingKey: config.signingKeys[0],
  });
  const units: Units = {
    ...allUnits,
    async sweep(until) {
      await Promise.all([allUnits.sweep(until), allUnits.takeUpSubmissions(queue)]);
    },
  };

  function processJob(job: Job, onOutcome: OnOutcome): Promise<void> {
    const parent = parseTraceparent(job.traceparent);
    return shared.tracing.runJob({ 'edgepress.unit': job.unit }, parent, () => doJob(job, onOutcome));
  }

  async function doJob(job: Job, onOutcome: OnOutcome): Promise<void> {
    if (job.upgrade) return await units.upgrade(job.unit, job.upgrade);
    if (!job.invalidate) return await units.prewarm(job, onOutcome);
    const invalidation = shared.cdn.invalidate([unitCacheTag(job.unit, shared.sha256)]);
    // A CDN may be busy for any length of time. After an abort, the job is retried later.
    await abortable(invalidation, signal);
  }

  let worker: Promise<void> | undefined;
  return {
    units,
    queue,
    cdn: shared.cdn,
    processJob,
    startWorker(onOutcome) {
      worker = queue.consume((job) => processJob(job, onOutcome), {
        concurrency: CONCURRENT_UNITS,
        signal,
        onError: (error, job) => {
          if (signal.aborted) log.info({ unit: job?.unit }, 'left on the queue');
          else log.error({ err: error, unit: job?.unit }, 'a unit could not be prewarmed');
        },
      });
    },
    async drain() {
      stop.abort(new Error('the process is ending'));
      await worker;
    },
  };
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
