import type { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import type { Cdn } from './cdn/cdn.ts';
import { createNoCdn } from './cdn/no-cdn.ts';
import { type Config, ConfigError } from './config.ts';
import type { StoreLocation } from './config-values.ts';
import type { Encoder } from './encode/encoder.ts';
import { createSharpEncoder } from './encode/sharp-encoder.ts';
import { hmac, md5, sha256 } from './hashing.ts';
import { createHttpSource } from './source/http-source.ts';
import type { SourceFetcher } from './source/source.ts';
import { createSourceFetcher } from './source/source-by-scheme.ts';
import { createSourceRecords, type SourceRecords } from './source/source-records.ts';
import { createForgivingStore, type StoreOperation } from './store/forgiving-store.ts';
import type { VariantStore } from './store/store.ts';
import { createPurgeMarks, type PurgeMarks } from './unit/purge-marks.ts';
import { createPurgeSweep, type PurgeSweep } from './unit/purge-sweep.ts';
import { createGetVariant, type GetVariant } from './variant/get-variant.ts';
import type { Sha256 } from './variant/key.ts';
import { createMakeVariants, type MakeVariants } from './variant/make-variants.ts';
import type { ObserveWork } from './variant/observe.ts';
import { createReadTarget, type ReadTarget } from './variant/read-target.ts';
import { createWorkshop } from './variant/workshop.ts';

/** The line of an image request, wired up, and what it shares with the work on units. */
export interface Services {
  getVariant: GetVariant;
  shared: SharedServices;
  /** Faults of the store so far, by operation: nobody who asks for an image sees them. */
  storeFaults: () => Readonly<Partial<Record<StoreOperation, number>>>;
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
  marks: PurgeMarks;
  sweep: PurgeSweep;
  sha256: Sha256;
  nowMs: () => number;
  makeVariants: MakeVariants;
  cdn: Cdn;
}

/** 32 × `SOURCE_MAX_BYTES` is 1 GiB at the worst. */
const MIN_SOURCES_AT_ONCE = 32;

/** What may stand in for what the configuration chooses: a clock that is set, a store that fails. */
export interface Substitutes {
  store?: VariantStore;
  encoder?: Encoder;
  /** Another way in which requests come. */
  readTarget?: ReadTarget;
  /** Unix milliseconds. */
  nowMs?: () => number;
  /** Is told of what is done. */
  observe?: ObserveWork;
}

/** Composition root: the one place that chooses what implements each port. */
export async function createServices(
  config: Config,
  log: Logger,
  instead: Substitutes = {},
): Promise<Services> {
  const { nowMs = Date.now, observe = () => {} } = instead;
  let s3: Promise<S3Client> | undefined;
  const s3Client = () => {
    s3 ??= loadS3Client(config.s3Endpoint);
    return s3;
  };
  const storeFaults: Partial<Record<StoreOperation, number>> = {};
  const store = instead.store ?? (await createStore(config.store, s3Client));
  const noteFault = (operation: StoreOperation, key: string, fault: unknown) => {
    storeFaults[operation] = (storeFaults[operation] ?? 0) + 1;
    log.warn({ operation, key, err: fault }, 'the store failed, and the work went on without it');
  };
  const forgivingStore = createForgivingStore(store, noteFault);
  const http = createHttpSource({
    allow: config.sourceAllow,
    allowPrivate: config.sourceAllowPrivate,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
    version: packageJson.version,
  });
  const s3Source = await createS3SourceIfAllowed(config, s3Client);
  const source = observeFetches(createSourceFetcher(s3Source ? { http, s3: s3Source } : { http }), observe);
  const cdn = await createCdn(config);
  const records = createSourceRecords(forgivingStore, nowMs);
  const marks = createPurgeMarks(store, sha256, nowMs);
  const invalidate = (tag: string) =>
    void cdn
      .invalidate([tag])
      .catch((fault: unknown) => log.error({ err: fault, tag }, 'the CDN still has what was purged'));
  const sweep = createPurgeSweep({ store, marks, sha256, nowMs, invalidate, report: noteFault });
  const workshop = createWorkshop({
    atOnce: Math.max(MIN_SOURCES_AT_ONCE, 8 * config.concurrency),
    atOnceForHost: Math.max(MIN_SOURCES_AT_ONCE / 4, 2 * config.concurrency),
    room: config.concurrency + config.queueLimit,
  });
  const makeVariants = createMakeVariants({
    encoder: instead.encoder ?? createSharpEncoder(config),
    cacheControl: config.cacheControl,
    store: forgivingStore,
    ...{ records, sweep, sha256, md5, observe },
  });

  const { signingKeys, ladder } = config;
  const getVariant = createGetVariant({
    readTarget: instead.readTarget ?? createReadTarget({ signingKeys, ladder, hmac, sha256 }, nowMs),
    store: forgivingStore,
    ...{ records, source, workshop, makeVariants, nowMs },
  });
  return {
    getVariant,
    shared: { store, records, source, marks, sweep, makeVariants, cdn, sha256, nowMs },
    storeFaults: () => storeFaults,
    finish: () => workshop.close(),
    close: async () => {
      cdn.close();
      await http.close();
      (await s3)?.destroy();
    },
  };
}

function observeFetches(source: SourceFetcher, observe: ObserveWork): SourceFetcher {
  return {
    admit: (src) => source.admit(src),
    async fetch(src) {
      const start = performance.now();
      const bytes = await source.fetch(src);
      observe({ kind: 'fetch', ms: performance.now() - start, bytes: bytes.byteLength });
      return bytes;
    },
  };
}

// What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.

async function loadS3Client(endpoint: string | undefined): Promise<S3Client> {
  const { createS3Client } = await import('./store/s3-client.ts');
  return createS3Client({ endpoint });
}

async function createStore(store: StoreLocation, s3Client: () => Promise<S3Client>): Promise<VariantStore> {
  if (store.kind === 'file') {
    const { createFileStore } = await import('./store/file-store.ts');
    try {
      return createFileStore({ root: store.root });
    } catch (error) {
      throw new ConfigError([
        `STORE: ${store.root} cannot be used as a folder (${(error as Error).message})`,
      ]);
    }
  }
  const { createS3Store } = await import('./store/s3-store.ts');
  return createS3Store({ bucket: store.bucket, client: await s3Client() });
}

async function createS3SourceIfAllowed(
  config: Config,
  s3Client: () => Promise<S3Client>,
): Promise<SourceFetcher | undefined> {
  if (!config.sourceAllow.some(({ scheme }) => scheme === 's3:')) return undefined;
  const { createS3Source } = await import('./source/s3-source.ts');
  return createS3Source({
    client: await s3Client(),
    allow: config.sourceAllow,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
  });
}

async function createCdn({ cdn, cloudfrontEndpoint }: Config): Promise<Cdn> {
  if (cdn.kind === 'none') return createNoCdn();
  const { createCloudFrontCdn } = await import('./cdn/cloudfront-cdn.ts');
  return createCloudFrontCdn({ distribution: cdn.distribution, endpoint: cloudfrontEndpoint });
}
