import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Cdn } from './cdn/cdn.ts';
import { baseUrlOf, type Config } from './config.ts';
import { unitCacheTag } from './protocol/keys.ts';
import type { Job, UnitQueue } from './queue/queue.ts';
import type { Services } from './services.ts';
import { createWithRetry } from './source/retry.ts';
import { createSourceRecords } from './source/source-records.ts';
import type { ImageOutcome } from './unit/outcome.ts';
import { createUnits, type Units } from './unit/units.ts';

/** The work on data units, wired up. */
export interface UnitServices {
  units: Units;
  queue: UnitQueue;
  cdn: Cdn;
  /**
   * Does what a job asks for.
   *
   * @throws whatever of ours failed: the job is to come again
   */
  doJob(job: Job, tell: (outcome: ImageOutcome) => void): Promise<void>;
  /** Takes units off the queue and prewarms them, until it is told to finish. */
  work(tell: (outcome: ImageOutcome) => void): void;
  /** Begins nothing more, and ends when what has begun is done. What is left waits on the queue. */
  finish(): Promise<void>;
}

export interface UnitServicesOptions {
  /** Fetches at once from one host. Default 8. */
  fetchesPerHost?: number;
  /** Once it is aborted, no more is begun. Default: once `finish` is called. */
  signal?: AbortSignal;
}

const FETCHES_PER_HOST = 8;
/** More than the encoders, so that slow sources do not leave them idle; each holds a whole source in memory. */
const MIN_SOURCES_AT_ONCE = 16;
/** Enough that units which wait for a slow host hold up few others; few enough to leave other processes their share. */
const UNITS_AT_ONCE = 64;

/** Composition root of the work on units, on top of what images are served with. */
export async function createUnitServices(
  config: Config,
  log: Logger,
  { shared }: Pick<Services, 'shared'>,
  options: UnitServicesOptions = {},
): Promise<UnitServices> {
  const { fetchesPerHost = FETCHES_PER_HOST, signal: until } = options;
  const stop = new AbortController();
  const signal = until ? AbortSignal.any([until, stop.signal]) : stop.signal;
  // Every fetch that waits listens.
  setMaxListeners(0, signal);
  const queue = await shared.queue();
  const units = createUnits({
    ...shared,
    // Here a store that cannot be read is a fault, not a miss.
    records: createSourceRecords(shared.store, shared.nowMs),
    persist: createWithRetry({ signal, concurrencyPerHost: fetchesPerHost }),
    sourcesAtOnce: Math.max(MIN_SOURCES_AT_ONCE, 8 * config.concurrency),
    signal,
    effort: config.prewarmEffort,
    baseUrl: baseUrlOf(config),
    signingKey: config.signingKeys[0],
  });
  async function doJob(job: Job, tell: (outcome: ImageOutcome) => void): Promise<void> {
    if (job.upgrade) return await units.upgrade(job.unit, job.upgrade);
    if (!job.invalidate) return await units.prewarm(job, tell);
    const asked = shared.cdn.invalidate([unitCacheTag(job.unit, shared.sha256)]);
    // A CDN may be busy for as long as it likes: then the job comes again.
    await orAborted(asked, signal);
  }

  let working: Promise<void> | undefined;
  return {
    units,
    queue,
    cdn: shared.cdn,
    doJob,
    work(tell) {
      working = queue.consume((job) => doJob(job, tell), {
        concurrency: UNITS_AT_ONCE,
        signal,
        report: (fault, job) => {
          if (signal.aborted) log.info({ unit: job?.unit }, 'left on the queue');
          else log.error({ err: fault, unit: job?.unit }, 'a unit could not be prewarmed');
        },
      });
    },
    async finish() {
      stop.abort(new Error('the process is ending'));
      await working;
    },
  };
}

/** @throws the signal's reason once it aborts, though the work goes on */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  return await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
