import type { S3Client } from '@aws-sdk/client-s3';
import { type Cdn, createNoCdn } from './cdn/cdn.ts';
import { type Config, ConfigError } from './config.ts';
import type { StoreLocation } from './config-values.ts';
import { createLazyEncoder, type LazyEncoder } from './encode/encoder.ts';
import type { UnitQueue } from './queue/queue.ts';
import type { SourceFetcher } from './source/source.ts';
import type { VariantStore } from './store/store.ts';

// What implements the ports, as the configuration chooses. What talks to AWS, and what encodes, is loaded only where it is used: each
// takes longer to load than all the rest.

/** Sharp, loaded when it is first needed. */
export function createEncoder(config: Config): LazyEncoder {
  return createLazyEncoder(async () => {
    const { createSharpEncoder } = await import('./encode/sharp-encoder.ts');
    return createSharpEncoder(config);
  });
}

/** A client of S3; see `createS3Client`. */
export async function loadS3Client(endpoint: string | undefined): Promise<S3Client> {
  const { createS3Client } = await import('./store/s3-client.ts');
  return createS3Client({ endpoint });
}

/** @throws ConfigError when a folder cannot be used */
export async function createStore(
  store: StoreLocation,
  s3Client: () => Promise<S3Client>,
): Promise<VariantStore> {
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

/** `undefined` where no bucket is among the allowed sources. */
export async function createS3SourceIfAllowed(
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

/** The CDN that is told of purges, or one that is none. */
export async function createCdn({ cdn, cloudfrontEndpoint }: Config): Promise<Cdn> {
  if (cdn.kind === 'none') return createNoCdn();
  const { createCloudFrontCdn } = await import('./cdn/cloudfront-cdn.ts');
  return createCloudFrontCdn({ distribution: cdn.distribution, endpoint: cloudfrontEndpoint });
}

/** Where units wait: with the store of one machine, or SQS. */
export async function createQueue(
  { queue, sqsEndpoint }: Config,
  { store, nowMs }: { store: VariantStore; nowMs: () => number },
): Promise<UnitQueue> {
  if (queue.kind === 'local') {
    const { createLocalQueue } = await import('./queue/local-queue.ts');
    return createLocalQueue({ store, nowMs });
  }
  const { createSqsClient } = await import('./queue/sqs-api.ts');
  const { createSqsQueue } = await import('./queue/sqs-queue.ts');
  return createSqsQueue({ url: queue.url, client: createSqsClient({ endpoint: sqsEndpoint }) });
}
