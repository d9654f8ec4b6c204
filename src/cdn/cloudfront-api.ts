import {
  CloudFrontClient,
  type CloudFrontClientConfig,
  CloudFrontServiceException,
  CreateInvalidationCommand,
  GetInvalidationCommand,
  type Invalidation,
} from '@aws-sdk/client-cloudfront';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { backoffDelay, withJitter } from '../backoff.ts';

const CONNECTION_TIMEOUT_MS = 3000;
/** The longest time without a byte in either direction. A call carries up to 3,000 paths, some 200 KB, and so does its answer. */
const SOCKET_TIMEOUT_MS = 15_000;
/** The first and five more, over about 12 s: a purge can wait, and a person has to repeat one that fails. */
const MAX_ATTEMPTS = 6;

export interface CloudFrontClientOptions {
  /** The address of another server with CloudFront's API, as `http://host:port`, in place of Amazon's. */
  endpoint?: string | undefined;
  /** By default what the SDK finds: the environment, the shared files, the role of the machine. */
  credentials?: CloudFrontClientConfig['credentials'];
  /** The delay before the second attempt at a call, in milliseconds; it doubles for each that follows. Default 400. */
  retryDelayMs?: number;
}

/** Returns a client that makes six attempts at a call which fails or times out. It needs no configured region. */
export function createCloudFrontClient({
  endpoint,
  credentials,
  retryDelayMs = 400,
}: CloudFrontClientOptions = {}): CloudFrontClient {
  return new CloudFrontClient({
    // CloudFront is global, and signs for this region. China has its own CloudFront, which does not have cache tags.
    region: 'us-east-1',
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) =>
      withJitter(backoffDelay(retryDelayMs, attempt)),
    ),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint }),
  });
}

/** The two calls of CloudFront's API that the CDN adapter uses, for one distribution. */
export interface InvalidationApi {
  /**
   * Creates an invalidation.
   *
   * @param paths - at most 3,000, without duplicates
   * @param callerReference - of all calls with the same reference and paths, only the first creates an invalidation
   * @returns the invalidation, or why CloudFront does not accept it now
   * @throws Error that says what to change
   */
  create(paths: readonly string[], callerReference: string): Promise<InvalidationState | Busy>;
  /**
   * Returns the state of an invalidation, or why CloudFront does not say it now.
   *
   * @throws Error that says what to change
   */
  read(id: string): Promise<InvalidationState | Busy>;
}

export interface InvalidationState {
  id: string;
  complete: boolean;
  /** In CloudFront's words. Its reference has `InProgress` and `Completed`. */
  status: string;
}

/** `full`: too many paths would be in progress. `throttled`: too many calls. */
export type Busy = 'full' | 'throttled';

type Action = 'CreateInvalidation' | 'GetInvalidation';

/**
 * @param client - from `createCloudFrontClient`
 * @param signal - when it aborts, all calls fail with its reason
 */
export function createInvalidationApi(
  client: CloudFrontClient,
  distribution: string,
  signal: AbortSignal,
): InvalidationApi {
  async function orBusy<T>(action: Action, request: () => Promise<T>): Promise<T | Busy> {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      const busy = busyReason(error);
      if (busy) return busy;
      throw explainError(error, action, distribution);
    }
  }

  return {
    create: (paths, callerReference) =>
      orBusy('CreateInvalidation', async () => {
        const command = new CreateInvalidationCommand({
          DistributionId: distribution,
          InvalidationBatch: {
            CallerReference: callerReference,
            Paths: { Quantity: paths.length, Items: [...paths] },
          },
        });
        return stateOf((await client.send(command, { abortSignal: signal })).Invalidation);
      }),

    read: (id) =>
      orBusy('GetInvalidation', async () => {
        const command = new GetInvalidationCommand({ DistributionId: distribution, Id: id });
        return stateOf((await client.send(command, { abortSignal: signal })).Invalidation);
      }),
  };
}

function stateOf(invalidation: Invalidation | undefined): InvalidationState {
  if (invalidation?.Id === undefined) throw new Error('CloudFront answered without an invalidation');
  const status = invalidation.Status ?? '';
  // Other servers with this API spell it as they like.
  return { id: invalidation.Id, complete: /^completed?$/i.test(status), status };
}

/** Returns why to retry later; `undefined` for other errors. When throttled, the client itself has already retried. */
function busyReason(error: unknown): Busy | undefined {
  if (!(error instanceof CloudFrontServiceException)) return undefined;
  if (error.name === 'TooManyInvalidationsInProgress') return 'full';
  const isThrottled = /^Throttling(Exception)?$/.test(error.name) || error.$metadata.httpStatusCode === 429;
  return isThrottled ? 'throttled' : undefined;
}

/** Makes an error that tells an operator what to change. */
function explainError(error: unknown, action: Action, distribution: string): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'NoSuchDistribution') {
    const advice = 'CDN must name one that this AWS account has';
    return new Error(`CloudFront knows no distribution ${distribution}: ${advice}`, { cause: error });
  }
  if (name === 'AccessDenied' || name === 'AccessDeniedException') {
    const advice = `the identity that signs this call needs the permission cloudfront:${action}`;
    return new Error(`CloudFront refuses distribution ${distribution}: ${advice} (${message})`, {
      cause: error,
    });
  }
  return new Error(`CloudFront failed at ${action} on distribution ${distribution}: ${name}: ${message}`, {
    cause: error,
  });
}
