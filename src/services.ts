import type { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import {
  createCdn,
  createEncoder,
  createQueue,
  createS3SourceIfAllowed,
  createStore,
  loadS3Client,
} from './adapters.ts';
import { createBackgroundTasks } from './background-tasks.ts';
import type { Cdn } from './cdn/cdn.ts';
import type { Config } from './config.ts';
import type { Encoder } from './encode/encoder.ts';
import { hmac, md5, sha256 } from './hashing.ts';
import { type Sha256, unitCacheTag } from './protocol/keys.ts';
import { createPurgeSweep, type PurgeSweep } from './purge/sweep.ts';
import { createTombstones, type Tombstones } from './purge/tombstones.ts';
import type { Job, UnitQueue } from './queue/queue.ts';
import { createLazyHttpSource } from './source/lazy-http-source.ts';
import { createSourceFetcher, type SourceFetcher } from './source/source.ts';
import { createSourceRecords, type SourceRecords } from './source/source-records.ts';
import { createBestEffortStore, type StoreOperation } from './store/best-effort-store.ts';
import type { VariantStore } from './store/store.ts';
import { createRequestUpgrade } from './unit/upgrade.ts';
import { createGetVariant, type GetVariant } from './variant/get-variant.ts';
import { createMakeVariants, type MakeVariants } from './variant/make-variants.ts';
import { createReadTarget, type ReadTarget } from './variant/read-target.ts';
import type { OnWork } from './variant/trace.ts';
import { createWorkQueue } from './variant/work-queue.ts';

/** The line of an image request, wired up, and what it shares with the work on units. */
export interface Services {
  getVariant: GetVariant;
  shared: SharedServices;
  /** Faults of the store so far, by operation: nobody who asks for an image sees them. */
  storeFaults: () => Readonly<Partial<Record<StoreOperation, number>>>;
  /** The one client of S3, made when it is first asked for. */
  s3Client: () => Promise<S3Client>;
  /**
   * Ends when what goes on beside the answers is done, and lets go of connections to sources, whose other ends do not wait. For
   * whoever is frozen between requests.
   */
  settle(): Promise<void>;
  /** Refuses what waits to be made, and ends when what is being made is done. */
  finish(): Promise<void>;
  /** Lets go of all connections. */
  close(): Promise<void>;
}

/** What any work on images is done with. */
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
  /** Made when it is first asked for. */
  queue: () => Promise<UnitQueue>;
}

/** 32 × `SOURCE_MAX_BYTES` is 1 GiB at the worst. */
const MIN_SOURCES_AT_ONCE = 32;

/** What may stand in for what the configuration chooses: a clock that is set, a store that fails. */
export interface Overrides {
  store?: VariantStore;
  encoder?: Encoder;
  /** Another way in which requests come. */
  readTarget?: ReadTarget;
  /**
   * Whether those who work on the queue are left to have the CDN forget what was taken back late: where it is not known, or may be
   * busy for longer than there is time. What is on the queue is not lost with the process.
   */
  invalidatesByQueue?: boolean;
  /** Whether HTTP client and encoder are loaded when they are needed, rather than before the first request. */
  lazy?: boolean;
  /** Unix milliseconds. */
  nowMs?: () => number;
  /** Is told of what is done. */
  onWork?: OnWork;
}

/**
 * Composition root: the one place that chooses what implements each port.
 *
 * @throws ConfigError when the store cannot be used
 */
export async function createServices(
  config: Config,
  log: Logger,
  overrides: Overrides = {},
): Promise<Services> {
  const { nowMs = Date.now, onWork = () => {} } = overrides;
  let s3: Promise<S3Client> | undefined;
  const s3Client = () => {
    s3 ??= loadS3Client(config.s3Endpoint);
    return s3;
  };
  const storeFaults: Partial<Record<StoreOperation, number>> = {};
  const store = overrides.store ?? (await createStore(config.store, s3Client));
  const noteFault = (operation: StoreOperation, key: string, fault: unknown) => {
    storeFaults[operation] = (storeFaults[operation] ?? 0) + 1;
    log.warn({ operation, key, err: fault }, 'the store failed, and the work went on without it');
  };
  const bestEffortStore = createBestEffortStore(store, noteFault);
  const http = createLazyHttpSource({
    allow: config.sourceAllow,
    allowPrivate: config.sourceAllowPrivate,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
    version: packageJson.version,
  });
  const s3Source = await createS3SourceIfAllowed(config, s3Client);
  const sharp = createEncoder(config);
  // What is being fetched is to be encoded.
  const loadEncoder = () => void sharp.load().catch(() => undefined);
  const sources = createSourceFetcher(s3Source ? { http, s3: s3Source } : { http });
  const source = observeFetches(sources, onWork, loadEncoder);
  const cdn = await createCdn(config);
  const records = createSourceRecords(bestEffortStore, nowMs);
  const tombstones = createTombstones(store, sha256, nowMs);
  let queue: Promise<UnitQueue> | undefined;
  const getQueue = () => {
    queue ??= createQueue(config, { store, nowMs });
    return queue;
  };
  const send = async (job: Job) => (await getQueue()).send([job]);
  const beside = createBackgroundTasks();
  const invalidate = (unit: string) =>
    beside.begin(
      overrides.invalidatesByQueue
        ? send({ unit, images: 0, retry: false, invalidate: true })
        : cdn.invalidate([unitCacheTag(unit, sha256)]),
      (fault) => log.error({ err: fault, unit }, 'the CDN still has what was purged'),
    );
  const requestUpgrade = createRequestUpgrade((job) => {
    const sent = send(job);
    beside.begin(sent, (fault) =>
      log.warn({ err: fault, unit: job.unit }, 'the best could not be asked for'),
    );
    return sent;
  });
  const sweep = createPurgeSweep({ store, tombstones, sha256, nowMs, invalidate, report: noteFault });
  const workQueue = createWorkQueue({
    concurrency: Math.max(MIN_SOURCES_AT_ONCE, 8 * config.concurrency),
    concurrencyPerHost: Math.max(MIN_SOURCES_AT_ONCE / 4, 2 * config.concurrency),
    room: config.concurrency + config.queueLimit,
  });
  const makeVariants = createMakeVariants({
    encoder: overrides.encoder ?? sharp,
    cacheControl: config.cacheControl,
    upgrades: config.upgrade,
    store: bestEffortStore,
    ...{ records, sweep, sha256, md5, onWork },
  });

  if (!overrides.lazy) await Promise.all([http.load(), sharp.load()]);

  const { signingKeys, ladder } = config;
  const getVariant = createGetVariant({
    readTarget: overrides.readTarget ?? createReadTarget({ signingKeys, ladder, hmac, sha256 }, nowMs),
    store: bestEffortStore,
    requestUpgrade: config.upgrade ? requestUpgrade : undefined,
    ...{ records, source, workQueue, makeVariants, nowMs },
  });
  return {
    getVariant,
    shared: { store, records, source, tombstones, sweep, makeVariants, cdn, queue: getQueue, sha256, nowMs },
    s3Client,
    storeFaults: () => storeFaults,
    settle: async () => {
      await beside.settle();
      await http.letGo();
    },
    finish: () => workQueue.close(),
    close: async () => {
      cdn.close();
      await http.close();
      (await s3)?.destroy();
    },
  };
}

function observeFetches(source: SourceFetcher, onWork: OnWork, began: () => void): SourceFetcher {
  return {
    assertAllowed: (src) => source.assertAllowed(src),
    async fetch(src) {
      const start = performance.now();
      const fetched = source.fetch(src);
      began();
      const bytes = await fetched;
      onWork({ kind: 'fetch', ms: performance.now() - start, bytes: bytes.byteLength });
      return bytes;
    },
  };
}
