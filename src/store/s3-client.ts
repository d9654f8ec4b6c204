import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { configuredRegion } from '../aws-region.ts';

const CONNECTION_TIMEOUT_MS = 1000;
/** How long nothing may move, before an answer or within it. S3 mostly answers in tens of milliseconds. */
const SILENCE_TIMEOUT_MS = 5000;
/** The first and two more: S3 says 503 for a moment when it splits a partition. */
const MAX_ATTEMPTS = 3;
/** More than wait at once: a request that waits for a socket counts as one that cannot connect. */
const MAX_SOCKETS = 512;

/** The SDK's own grows to seconds at random: a viewer would rather have the picture made anew. */
const retryDelayMs = (attempt: number) => 50 * 2 ** attempt;

export interface S3ClientOptions {
  /** Another S3 than Amazon's, as `http://host:port`. */
  endpoint?: string | undefined;
  /** Whom to sign as. By default whoever the SDK finds: the environment, the shared files, the role of the machine. */
  credentials?: S3ClientConfig['credentials'];
}

/**
 * A client that gives up on an S3 that does not answer: after 1 s without a connection or 5 s of silence, three times. Whoever
 * needs a bound on the whole, since a body can trickle, passes an `abortSignal`. The region is whatever the SDK finds; with an
 * `endpoint`, where most people have none, `us-east-1` when it finds nothing.
 */
export function createS3Client({ endpoint, credentials }: S3ClientOptions = {}): S3Client {
  return new S3Client({
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, retryDelayMs),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && {
      endpoint,
      region: () => configuredRegion(() => new S3Client({})),
      // Few other servers have a host name for each bucket, or know the checksums that the SDK adds since 2025.
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
  });
}
