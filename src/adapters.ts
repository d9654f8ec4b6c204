import type { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { hasRegion } from './aws-region.ts';
import { type Cdn, createNoCdn } from './cdn/cdn.ts';
import { type CdnLocation, nameOfCdn } from './cdn/cdn-location.ts';
import type { PurgeApi } from './cdn/purge-api.ts';
import { type Config, ConfigError } from './config.ts';
import { createLazyEncoder, type LazyEncoder } from './encode/encoder.ts';
import { createProcessCounts, processMetrics } from './encode/pool/process-counts.ts';
import { createLocks } from './locks.ts';
import type { NotifyTarget } from './notify/notify-target.ts';
import type { Sender } from './notify/sender.ts';
import type { WebhookSecrets, WebhookSecretsSource } from './notify/webhook-secrets.ts';
import type { UnitQueue } from './queue/queue.ts';
import type { HostBreakers } from './source/host-breakers.ts';
import type { SourceFetcher } from './source/source.ts';
import type { SourceHeaderRule, SourceHeaders } from './source/source-headers.ts';
import type { VariantStore } from './store/store.ts';
import type { MetricSource } from './telemetry/metric-source.ts';
import type { ObservedLocks } from './telemetry/observe-locks.ts';

// The implementation of each port, as the configuration chooses it. The AWS SDK and sharp are imported only where they are used: each
// takes longer to load than everything else together.

/** Returns an encoder that is loaded when it is first needed: one of this process, or of processes of its own. */
export function createEncoder(
  config: Config,
  { locks, observe }: Pick<ObservedLocks, 'locks' | 'observe'>,
  log: Logger,
): LazyEncoder & { metricSources: readonly MetricSource[] } {
  const { concurrency, workers, maxPixels, encoderProcesses } = config;
  const counts = createProcessCounts();
  const encoder = createLazyEncoder(async () => {
    if (!encoderProcesses) {
      const { createSharpEncoder } = await import('./encode/sharp-encoder.ts');
      return createSharpEncoder({ concurrency, maxPixels, locks });
    }
    const { createEncoderPool } = await import('./encode/pool/encoder-pool.ts');
    return createEncoderPool({
      // The encodes of a server are divided between its workers.
      processes: Math.ceil(concurrency / workers),
      maxPixels,
      locks,
      slots: observe(createLocks()),
      onProcessEnded: (err) => log.warn({ err }, 'an encoder process has ended; another one takes its place'),
      counts,
    });
  });
  return { ...encoder, metricSources: encoderProcesses ? processMetrics(counts) : [] };
}

/** The one S3 client of a process, created when it is first needed. */
export interface LazyS3Client {
  get(): Promise<S3Client>;
  /** Closes the connections of the client, if there is one. */
  close(): Promise<void>;
}

/** @param endpoint - another S3 server than Amazon's, as `http://host:port` */
export function createLazyS3Client(endpoint: string | undefined): LazyS3Client {
  let loading: Promise<S3Client> | undefined;
  return {
    get() {
      loading ??= import('./store/s3-client.ts').then(({ createS3Client }) => createS3Client({ endpoint }));
      return loading;
    },
    async close() {
      (await loading)?.destroy();
    },
  };
}

const DAY_MS = 86_400_000;

/** @throws ConfigError when the folder cannot be used, or the bucket's region is not known */
export async function createStore(
  config: Pick<Config, 'store' | 'workers' | 'storeMaxBytes' | 'storeMaxAgeDays'>,
  s3: LazyS3Client,
): Promise<VariantStore> {
  const { store: location, workers, storeMaxBytes, storeMaxAgeDays } = config;
  if (location.kind === 's3') {
    const { createS3Store } = await import('./store/s3-store.ts');
    const client = await s3.get();
    await assertRegion('STORE', client);
    return createS3Store({ bucket: location.bucket, client });
  }
  const { root } = location;
  const { createFileStore } = await import('./store/file-store.ts');
  try {
    return createFileStore({
      root,
      processes: workers,
      maxBytes: storeMaxBytes,
      maxAgeMs: storeMaxAgeDays && storeMaxAgeDays * DAY_MS,
    });
  } catch (error) {
    throw new ConfigError([`STORE: ${root} cannot be used as a folder (${(error as Error).message})`]);
  }
}

/** Returns the fetcher of sources in S3, or `undefined` if `SOURCE_ALLOW` names no bucket. */
export async function createS3SourceIfAllowed(
  config: Config,
  s3: LazyS3Client,
  hosts: HostBreakers,
): Promise<SourceFetcher | undefined> {
  if (!config.sourceAllow.some(({ scheme }) => scheme === 's3:')) return undefined;
  const { createS3Source } = await import('./source/s3-source.ts');
  return createS3Source({
    client: await s3.get(),
    allow: config.sourceAllow,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
    hosts,
  });
}

type CdnConfig = Pick<
  Config,
  'cdn' | 'cdnPurgeToken' | 'cdnHttpToken' | 'cdnEndpoint' | 'cloudfrontEndpoint'
>;

/** Returns what tells the caches of `CDN` which units were purged; without any, one that does nothing. */
export async function createCdn(config: CdnConfig): Promise<Cdn> {
  const [first, ...others] = config.cdn;
  if (first === undefined) return createNoCdn();
  if (others.length === 0) return await createOneCdn(first, config);
  const { createSeveralCdns } = await import('./cdn/several-cdns.ts');
  const named = config.cdn.map(async (location) => ({
    name: nameOfCdn(location),
    cdn: await createOneCdn(location, config),
  }));
  return createSeveralCdns(await Promise.all(named));
}

async function createOneCdn(location: CdnLocation, config: CdnConfig): Promise<Cdn> {
  if (location.kind === 'cloudfront') {
    const { createCloudFrontCdn } = await import('./cdn/cloudfront-cdn.ts');
    return createCloudFrontCdn({ distribution: location.distribution, endpoint: config.cloudfrontEndpoint });
  }
  const { createApiCdn } = await import('./cdn/api-cdn.ts');
  return createApiCdn(await purgeApiOf(location, config));
}

async function purgeApiOf(
  location: Exclude<CdnLocation, { kind: 'cloudfront' }>,
  { cdnPurgeToken: token = '', cdnEndpoint: endpoint, cdnHttpToken }: CdnConfig,
): Promise<PurgeApi> {
  const { bunnyApi, cloudflareApi, fastlyApi, httpCacheApi } = await import('./cdn/purge-api.ts');
  switch (location.kind) {
    case 'cloudflare':
      return cloudflareApi(location.zone, { token, endpoint });
    case 'fastly':
      return fastlyApi(location.service, { token, endpoint });
    case 'bunny':
      return bunnyApi(location.pullZone, { token, endpoint });
    case 'http':
      return httpCacheApi(location.url, cdnHttpToken);
  }
}

/** Returns what sends events to a target of `NOTIFY`. */
export async function createNotifySender(
  target: NotifyTarget,
  config: Pick<Config, 'notifySecret' | 'notifyAllowPrivate'>,
): Promise<Sender> {
  if (target.kind === 'webhook') {
    const { createWebhookSender } = await import('./notify/webhook-sender.ts');
    return createWebhookSender({
      url: target.url,
      secrets: createWebhookSecretsReader(config.notifySecret),
      allowPrivate: config.notifyAllowPrivate,
      userAgent: `edgepress/${packageJson.version}`,
    });
  }
  if (target.kind === 'sns') return (await import('./notify/aws-senders.ts')).createSnsSender(target);
  if (target.kind === 'eventbridge')
    return (await import('./notify/aws-senders.ts')).createEventBridgeSender(target.bus);
  const { createFileSender, createStdoutSender } = await import('./notify/line-sender.ts');
  return target.kind === 'file' ? createFileSender(target.path) : createStdoutSender();
}

function createWebhookSecretsReader(source: WebhookSecretsSource | undefined): () => Promise<WebhookSecrets> {
  if (source?.kind !== 'secret') return async () => source?.secrets ?? [];
  const { arn } = source;
  let creating: Promise<() => Promise<WebhookSecrets>> | undefined;
  return async () => {
    creating ??= import('./notify/secret-webhook-secrets.ts').then(({ createSecretReader }) =>
      createSecretReader(arn),
    );
    return await (await creating)();
  };
}

/**
 * Returns the queue of units: the one in the store, on which one server works at a time, or SQS.
 *
 * @throws ConfigError when the queue's region is not known
 */
export async function createQueue(
  { queue, sqsEndpoint }: Config,
  { store, nowMs, log }: { store: VariantStore; nowMs: () => number; log: Logger },
): Promise<UnitQueue> {
  if (queue.kind === 'local') {
    const { createLocalQueue } = await import('./queue/local-queue.ts');
    const { createExclusiveQueue } = await import('./queue/exclusive-queue.ts');
    const onChange = (state: 'waiting' | 'working') => log.info(QUEUE_MESSAGES[state]);
    return createExclusiveQueue(createLocalQueue({ store, nowMs }), { store, nowMs, onChange });
  }
  const { createSqsClient } = await import('./queue/sqs-api.ts');
  const { createSqsQueue } = await import('./queue/sqs-queue.ts');
  const client = createSqsClient({ endpoint: sqsEndpoint });
  await assertRegion('QUEUE', client);
  return createSqsQueue({
    ...{ url: queue.url, client },
    onUnfair: (reason) => log.warn({ reason }, QUEUE_MESSAGES.unfair),
  });
}

/**
 * Without a region, each call would fail with a message that names no variable.
 *
 * @param variable - the one that needs a region
 */
async function assertRegion(variable: string, client: Parameters<typeof hasRegion>[0]): Promise<void> {
  if (await hasRegion(client)) return;
  throw new ConfigError([`${variable}: Amazon's servers need a region: set AWS_REGION, such as eu-west-1`]);
}

const QUEUE_MESSAGES = {
  waiting: 'another server works on the queue of this store: this one takes over when that one ends',
  unfair:
    'the server of QUEUE takes no MessageGroupId for this queue: a client with many units delays those of all others',
  working: 'this server works on the queue of this store now',
};

/** Returns a reader of the headers of private sources; see `createSecretHeadersReader` for those in a secret. */
export function createSourceHeadersReader(
  source: SourceHeaders | undefined,
): () => Promise<readonly SourceHeaderRule[]> {
  if (source?.kind !== 'secret') return async () => source?.rules ?? [];
  const { arn } = source;
  let creating: Promise<() => Promise<readonly SourceHeaderRule[]>> | undefined;
  return async () => {
    creating ??= import('./source/secret-headers.ts').then(({ createSecretHeadersReader }) =>
      createSecretHeadersReader(arn),
    );
    return await (await creating)();
  };
}
