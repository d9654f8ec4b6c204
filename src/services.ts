import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import type { Config } from './config.ts';
import type { Encoder } from './encode/encoder.ts';
import { createSharpEncoder } from './encode/sharp-encoder.ts';
import { hmac, md5, sha256 } from './hashing.ts';
import { createHttpSource } from './source/http-source.ts';
import type { SourceFetcher } from './source/source.ts';
import { createSourceFetcher } from './source/source-by-scheme.ts';
import { createSourceRecords } from './source/source-records.ts';
import { createForgivingStore, type StoreOperation } from './store/forgiving-store.ts';
import type { VariantStore } from './store/store.ts';
import { createGetVariant, type GetVariant } from './variant/get-variant.ts';
import { createWorkshop } from './variant/workshop.ts';

/** The program, wired up. */
export interface Services {
  getVariant: GetVariant;
  /** Faults of the store so far, by operation: nobody who asks for an image sees them. */
  storeFaults: () => Readonly<Partial<Record<StoreOperation, number>>>;
  /** Waits for what is being made, then lets go of all connections. */
  close(): Promise<void>;
}

/** What may stand in for what the configuration chooses: a clock that is set, a store that fails. */
export interface Substitutes {
  store?: VariantStore;
  encoder?: Encoder;
  /** Unix milliseconds. */
  nowMs?: () => number;
}

/** Composition root: the one place that chooses what implements each port. */
export async function createServices(
  config: Config,
  log: Logger,
  instead: Substitutes = {},
): Promise<Services> {
  const nowMs = instead.nowMs ?? Date.now;
  const storeFaults: Partial<Record<StoreOperation, number>> = {};
  const store = createForgivingStore(
    instead.store ?? (await createStore(config)),
    (operation, key, fault) => {
      storeFaults[operation] = (storeFaults[operation] ?? 0) + 1;
      log.warn({ operation, key, err: fault }, 'the store failed; the viewer was served all the same');
    },
  );
  const http = createHttpSource({
    allow: config.sourceAllow,
    allowPrivate: config.sourceAllowPrivate,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
    version: packageJson.version,
  });
  const s3 = await createS3SourceIfAllowed(config);
  const workshop = createWorkshop(config.concurrency + config.queueLimit);

  const getVariant = createGetVariant({
    signingKeys: config.signingKeys,
    ladder: config.ladder,
    cacheControl: config.cacheControl,
    store,
    records: createSourceRecords(store, nowMs),
    source: createSourceFetcher(s3 ? { http, s3 } : { http }),
    encoder: instead.encoder ?? createSharpEncoder(config),
    workshop,
    hmac,
    sha256,
    md5,
    nowMs,
  });
  return {
    getVariant,
    storeFaults: () => storeFaults,
    close: async () => {
      await workshop.settled();
      await http.close();
    },
  };
}

// What talks to S3 is loaded only where it is used: it takes longer to load than all the rest.

async function createStore({ store, s3Endpoint }: Config): Promise<VariantStore> {
  if (store.kind === 'file') {
    const { createFileStore } = await import('./store/file-store.ts');
    return createFileStore({ root: store.root });
  }
  const { createS3Store } = await import('./store/s3-store.ts');
  return createS3Store({ bucket: store.bucket, client: await createS3Client(s3Endpoint) });
}

async function createS3SourceIfAllowed(config: Config): Promise<SourceFetcher | undefined> {
  if (!config.sourceAllow.some(({ scheme }) => scheme === 's3:')) return undefined;
  const { createS3Source } = await import('./source/s3-source.ts');
  return createS3Source({
    client: await createS3Client(config.s3Endpoint),
    allow: config.sourceAllow,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
  });
}

async function createS3Client(endpoint: string | undefined) {
  const s3 = await import('./store/s3-client.ts');
  return s3.createS3Client(endpoint === undefined ? {} : { endpoint });
}
