import type { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import {
  createCdn,
  createEncoder,
  createLazyS3Client,
  createNotifySender,
  createQueue,
  createStore,
} from './adapters.ts';
import { createBackgroundTasks } from './background-tasks.ts';
import type { Cdn } from './cdn/cdn.ts';
import { circuitMetrics } from './circuit-metrics.ts';
import type { Config } from './config.ts';
import type { Encoder } from './encode/encoder.ts';
import { createKeyHash, sha256 as hashOfUrl, hmac, md5 } from './hashing.ts';
import { createLocks, type Locks } from './locks.ts';
import {
  createNotifications,
  type Notifications,
  type NotificationsOptions,
} from './notify/notifications.ts';
import type { Sha256 } from './protocol/keys.ts';
import { sourceHost } from './protocol/source-syntax.ts';
import type { PurgeSweep } from './purge/sweep.ts';
import type { Tombstones } from './purge/tombstones.ts';
import type { UnitQueue } from './queue/queue.ts';
import type { SourceFetcher } from './source/source.ts';
import type { SourceRecords } from './source/source-records.ts';
import { createSourceAccess } from './source-access.ts';
import type { StoreOperation } from './store/best-effort-store.ts';
import type { VariantStore } from './store/store.ts';
import { upkeepMetrics } from './store/upkeep-metrics.ts';
import { createStoreAccess, type ImageStore } from './store-access.ts';
import type { MetricSource } from './telemetry/metric-source.ts';
import { observeLocks } from './telemetry/observe-locks.ts';
import { createTracing, type Tracing, traceBatches, traceJobs } from './tracing.ts';
import { createRequestUpgrade } from './unit/upgrade.ts';
import { createGetVariant, type GetVariant } from './variant/get-variant.ts';
import { createMakeVariants, type MakeVariants } from './variant/make-variants.ts';
import { createReadManifestFacts } from './variant/manifest-facts.ts';
import { createGapCounts } from './variant/not-prewarmed.ts';
import { createReadTarget, type ReadTarget } from './variant/read-target.ts';
import type { OnWork } from './variant/trace.ts';
import { createWorkQueue, type WorkQueueOptions } from './variant/work-queue.ts';

/** What serves images, and what it shares with the work on units. */
export interface Services {
  getVariant: GetVariant;
  fetchOriginal: FetchOriginal;
  shared: SharedServices;
  /** Errors of the store so far, by operation, that no client saw. */
  storeFaults: () => Readonly<Partial<Record<StoreOperation, number>>>;
  /** What the parts of these services count for `GET /metrics`. */
  metricSources: readonly MetricSource[];
  /** Returns the one S3 client, which is created on the first call. */
  s3Client: () => Promise<S3Client>;
  /**
   * Makes the encoder ready for viewers.
   *
   * @throws Error if it cannot work
   */
  startEncoder(): Promise<void>;
  /** Rejects queued work with `overloaded`, and resolves when the work in flight is done. */
  drain(): Promise<void>;
  /**
   * To be awaited before a Lambda answers, since the process may be frozen afterwards. Resolves when the background tasks are done and
   * the connections to sources are closed, which would time out while it is frozen. The services stay usable.
   */
  beforeFreeze(): Promise<void>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/**
 * Fetches an original for a viewer, among the fetches of those who wait for variants.
 *
 * @throws EdgepressError as `SourceFetcher`, and `overloaded`
 * @throws the reason of the signal
 */
export type FetchOriginal = (src: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;

/** What any work on images needs. */
export interface SharedServices {
  store: VariantStore;
  records: SourceRecords;
  source: SourceFetcher;
  tombstones: Tombstones;
  sweep: PurgeSweep;
  sha256: Sha256;
  nowMs: () => number;
  makeVariants: MakeVariants;
  cdn: Cdn;
  /** Returns the queue, which is created on the first call. */
  queue: () => Promise<UnitQueue>;
  notifications: Notifications;
  tracing: Tracing;
}

/** Replaces choices of the configuration, for the Lambda functions and for tests. */
export interface Overrides {
  store?: VariantStore;
  encoder?: Encoder;
  /** How requests are read. Default: as viewers send them. */
  readTarget?: ReadTarget;
  /**
   * Whether invalidations after a late write are sent to the queue instead of the CDN: for a process that does not know the distribution,
   * or lasts no longer than CloudFront may be busy. A message on the queue survives the process.
   */
  invalidatesByQueue?: boolean;
  /** Whether events about units are sent before they are stored: for a process that lasts no longer than its job. */
  notifiesFirst?: boolean;
  /** Whether the HTTP client and the encoder are loaded when they are first needed, instead of before this returns. */
  lazy?: boolean;
  /** The time in Unix milliseconds. */
  nowMs?: () => number;
  /** Called with each piece of work that was done, for metrics. */
  onWork?: OnWork;
  /** What bounds the work of all processes of this server. Default: of this process alone. */
  locks?: Locks;
  /** Default: ids for log lines and what is asked of others, without spans. */
  tracing?: Tracing;
  /** Returns the queue to use in place of a queue that other processes work on too. */
  shareQueue?: (queue: UnitQueue) => UnitQueue;
}

/** The fewest places to fetch. As many sources of `SOURCE_MAX_BYTES` are 1 GiB by default. */
const MIN_FETCHES = 32;
/** The fewest places of sources that are fetched, and wait to be encoded or are. One host has half of them at most. */
const MIN_SOURCES = 16;

/**
 * Composition root: creates the implementation of each port and connects them.
 *
 * @throws ConfigError when the store cannot be used
 */
export async function createServices(
  config: Config,
  log: Logger,
  overrides: Overrides = {},
): Promise<Services> {
  const { nowMs = Date.now, onWork = () => {}, tracing = createTracing() } = overrides;
  const observed = observeLocks(overrides.locks ?? createLocks());
  const { locks } = observed;
  const s3 = createLazyS3Client(config.s3Endpoint);
  const store = overrides.store ?? (await createStore(config, s3));
  const sha256 = createKeyHash(config.sourceIgnoredParameters);
  const cdn = await createCdn(config);
  const queue = createLazyQueue(async () => {
    const created = await createQueue(config, { store, nowMs, log });
    return traceJobs(overrides.shareQueue?.(created) ?? created);
  });
  const encoder = createEncoder(config, observed, log);
  const sources = await createSourceAccess(config, s3, {
    ...{ log, onWork },
    // Every source is fetched to be encoded: load the encoder meanwhile. An error shows again when it is used.
    onStart: () => void encoder.load().catch(() => undefined),
  });
  const { source } = sources;
  if (!overrides.lazy) await Promise.all([sources.load(), encoder.load()]);

  const background = createBackgroundTasks({
    log,
    sendJob: async (job) => (await queue()).send([job]),
    invalidateTag: overrides.invalidatesByQueue ? undefined : (tag) => cdn.invalidate([tag]),
  });
  const { invalidate } = background;
  const access = createStoreAccess(store, {
    name: nameOfStore(config),
    ...{ log, nowMs, sha256, hashOfUrl, invalidate },
  });
  const { forViewers, patient } = access;
  const createMake = (images: ImageStore) => {
    const { cacheControl, upgrade: upgrades } = config;
    const services = { encoder: overrides.encoder ?? encoder, cacheControl, upgrades, sha256, md5, onWork };
    return traceBatches(createMakeVariants({ ...services, ...images }), tracing);
  };
  const notifications = await createUnitNotifications(config, log, {
    ...{ store, nowMs },
    sendsFirst: overrides.notifiesFirst === true,
  });
  const workQueue = createWorkQueue({ ...workQueueOptions(config), locks });
  const { signingKeys, ladder } = config;
  const gaps = createGapCounts(sha256);
  const getVariant = createGetVariant({
    readTarget: overrides.readTarget ?? createReadTarget({ signingKeys, ladder, hmac, sha256 }, nowMs),
    ...forViewers,
    makeVariants: createMake(forViewers),
    readManifestFacts: createReadManifestFacts(forViewers.store, sha256),
    findGaps: gaps.findGaps,
    requestUpgrade: config.upgrade ? createRequestUpgrade(background.sendUpgrade) : undefined,
    ...{ source, workQueue, nowMs, locks },
    inContext: tracing.runRequest,
  });

  return {
    getVariant,
    async fetchOriginal(src, viewer) {
      source.assertAllowed(src);
      source.assertReachable(src);
      return await workQueue.run(sourceHost(src), viewer, ({ fetchOnly, signal }) =>
        fetchOnly((place) => source.fetch(src, signal, place)),
      );
    },
    shared: {
      ...patient,
      ...{ store, source, cdn, queue, notifications, sha256, nowMs, tracing },
      makeVariants: createMake(patient),
    },
    s3Client: s3.get,
    storeFaults: access.faults,
    metricSources: [
      ...(store.upkeep ? upkeepMetrics(store.upkeep) : []),
      ...observed.metricSources,
      ...sources.metricSources,
      ...circuitMetrics({ source: sources.circuits, store: access.circuits }),
      ...workQueue.metricSources,
      ...gaps.metricSources,
      ...encoder.metricSources,
      ...notifications.metricSources,
    ],
    startEncoder: () => encoder.start(),
    drain: () => workQueue.drain(),
    async beforeFreeze() {
      await background.drain();
      await sources.close();
      await tracing.flush();
    },
    async close() {
      cdn.close();
      await notifications.close();
      await encoder.close();
      await sources.close();
      await s3.close();
    },
  };
}

async function createUnitNotifications(
  config: Config,
  log: Logger,
  options: Pick<NotificationsOptions, 'store' | 'nowMs' | 'sendsFirst'>,
): Promise<Notifications> {
  const targets = await Promise.all(
    config.notify.map(async (target) => ({ target, sender: await createNotifySender(target, config) })),
  );
  return createNotifications({ targets, log, ...options });
}

/** Returns a function that creates the queue on the first call. */
function createLazyQueue(create: () => Promise<UnitQueue>): () => Promise<UnitQueue> {
  let queue: Promise<UnitQueue> | undefined;
  return () => {
    queue ??= create();
    return queue;
  };
}

function nameOfStore({ store }: Config): string {
  return store.kind === 's3' ? `s3://${store.bucket}` : 'folder';
}

/** Requests that wait are divided between workers. Locks bound the other work of all of them together. */
function workQueueOptions({ concurrency, queueLimit, workers }: Config): WorkQueueOptions {
  return {
    encoders: concurrency / workers,
    fetches: Math.max(MIN_FETCHES, 8 * concurrency),
    fetchesPerHost: Math.max(MIN_FETCHES / 4, 2 * concurrency),
    sources: Math.max(MIN_SOURCES, 4 * concurrency),
    capacity: Math.ceil((concurrency + queueLimit) / workers),
  };
}
