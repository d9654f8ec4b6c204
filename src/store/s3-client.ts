import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { configuredRegion } from '../aws-region.ts';
import { backoffDelay } from '../backoff.ts';
import { traceHeaders } from '../telemetry/request-context.ts';

const CONNECTION_TIMEOUT_MS = 1000;
/** The longest time without a byte in either direction, before an answer or within it. S3 mostly answers in tens of milliseconds. */
const SOCKET_TIMEOUT_MS = 5000;
/** The first and two more: S3 answers 503 for a moment when it splits a partition. */
const MAX_ATTEMPTS = 3;
/** More than there are concurrent requests: one that waits for a socket would count as one that cannot connect. */
const MAX_SOCKETS = 512;
/** The SDK's own delays grow to seconds at random. For a viewer it is faster to make the image again. */
const FIRST_RETRY_DELAY_MS = 100;

export interface S3ClientOptions {
  /** The address of an S3-compatible server, as `http://host:port`, in place of Amazon's. */
  endpoint?: string | undefined;
  /** By default what the SDK finds: the environment, the shared files, the role of the machine. */
  credentials?: S3ClientConfig['credentials'];
}

/**
 * Returns a client with short timeouts: 1 s to connect and 5 s without a byte, each for three attempts. A body can still trickle:
 * pass an `abortSignal` to limit a whole request. The region is what the SDK finds; with an `endpoint`, for which few people
 * configure one, `us-east-1` if it finds none.
 */
export function createS3Client({ endpoint, credentials }: S3ClientOptions = {}): S3Client {
  const client = new S3Client({
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) =>
      backoffDelay(FIRST_RETRY_DELAY_MS, attempt),
    ),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && {
      endpoint,
      region: configuredRegion(() => new S3Client({})),
      // Few other servers have a host name for each bucket, or know the checksums that the SDK adds since 2025.
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      Object.assign((args.request as { headers: object }).headers, traceHeaders());
      return await next(args);
    },
    // After the signature, which a proxy that writes its own span into the header would break.
    { step: 'finalizeRequest', priority: 'low', name: 'traceHeaders' },
  );
  return client;
}
