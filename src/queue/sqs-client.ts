import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { configuredRegion } from '../aws-region.ts';

const CONNECTION_TIMEOUT_MS = 1000;
/** How long nothing may move. SQS keeps a request for messages open for 20 s when there are none. */
const SILENCE_TIMEOUT_MS = 30_000;
/** The first and two more. */
const MAX_ATTEMPTS = 3;

const retryDelayMs = (attempt: number) => 100 * 2 ** attempt;

export interface SqsClientOptions {
  /** Another SQS than Amazon's, as `http://host:port`. */
  endpoint?: string | undefined;
  /** Whom to sign as. By default whoever the SDK finds: the environment, the shared files, the role of the machine. */
  credentials?: SQSClientConfig['credentials'];
}

/**
 * A client that gives up on an SQS that does not answer: after 1 s without a connection or 30 s of silence, three times.
 * Whoever does not wait for messages passes an `abortSignal`. The region is whatever the SDK finds; with an `endpoint`, where most
 * people have none, `us-east-1` when it finds nothing.
 */
export function createSqsClient({ endpoint, credentials }: SqsClientOptions = {}): SQSClient {
  return new SQSClient({
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, retryDelayMs),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint, region: () => configuredRegion(() => new SQSClient({})) }),
  });
}
