import { CloudFrontClient, type CloudFrontClientConfig } from '@aws-sdk/client-cloudfront';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';

const CONNECTION_TIMEOUT_MS = 3000;
/** How long nothing may move. CloudFront takes in 3,000 paths, some 200 KB, and sends them all back. */
const SILENCE_TIMEOUT_MS = 15_000;
/** The first and five more, over about 12 s: a purge can wait, and one that fails must be asked for again by a person. */
const MAX_ATTEMPTS = 6;

export interface CloudFrontClientOptions {
  /** Another CloudFront than Amazon's, as `http://host:port`. */
  endpoint?: string | undefined;
  /** Whom to sign as. By default whoever the SDK finds: the environment, the shared files, the role of the machine. */
  credentials?: CloudFrontClientConfig['credentials'];
  /** Before the second attempt at a call, in milliseconds; it doubles for each that follows. Default 400. */
  retryDelayMs?: number;
}

/** A client that gives up on a CloudFront that does not answer, or breaks, six times in a row. It needs no region. */
export function createCloudFrontClient({
  endpoint,
  credentials,
  retryDelayMs = 400,
}: CloudFrontClientOptions = {}): CloudFrontClient {
  return new CloudFrontClient({
    // CloudFront is one for the whole world, and at home here. China has its own, which knows no cache tags.
    region: 'us-east-1',
    retryStrategy: new ConfiguredRetryStrategy(
      MAX_ATTEMPTS,
      // At random by a quarter, so that those that were throttled together do not come back together.
      (attempt) => retryDelayMs * 2 ** (attempt - 1) * (1 + Math.random() / 4),
    ),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint }),
  });
}
