import {
  CloudFrontClient,
  type CloudFrontClientConfig,
  CloudFrontServiceException,
  CreateInvalidationCommand,
  GetInvalidationCommand,
  type Invalidation,
} from '@aws-sdk/client-cloudfront';
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

/** The two calls of CloudFront's API that are used, on one distribution. */
export interface InvalidationApi {
  /**
   * @param paths - none twice, at most 3,000
   * @param callerReference - of all calls with the same one and the same paths, only the first makes an invalidation
   * @returns what came of it, or why CloudFront does not take it on now
   */
  create(paths: readonly string[], callerReference: string): Promise<InvalidationState | Busy>;
  /** @returns `false` also when CloudFront is too busy to say */
  isComplete(id: string): Promise<boolean>;
}

export interface InvalidationState {
  id: string;
  complete: boolean;
}

/** `full`: with these paths it would have too many under way. `throttled`: it is called too often. */
export type Busy = 'full' | 'throttled';

type Action = 'CreateInvalidation' | 'GetInvalidation';

/**
 * @param client - from `createCloudFrontClient`
 * @param signal - when it aborts, all calls end with its reason
 */
export function createInvalidationApi(
  client: CloudFrontClient,
  distribution: string,
  signal: AbortSignal,
): InvalidationApi {
  async function unlessBusy<T>(action: Action, ask: () => Promise<T>): Promise<T | Busy> {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const busy = busyWith(error);
      if (busy) return busy;
      throw explain(error, action, distribution);
    }
  }

  return {
    create: (paths, callerReference) =>
      unlessBusy('CreateInvalidation', async () => {
        const command = new CreateInvalidationCommand({
          DistributionId: distribution,
          InvalidationBatch: {
            CallerReference: callerReference,
            Paths: { Quantity: paths.length, Items: [...paths] },
          },
        });
        return stateOf((await client.send(command, { abortSignal: signal })).Invalidation);
      }),

    async isComplete(id) {
      const state = await unlessBusy('GetInvalidation', async () => {
        const command = new GetInvalidationCommand({ DistributionId: distribution, Id: id });
        return stateOf((await client.send(command, { abortSignal: signal })).Invalidation);
      });
      return typeof state === 'object' && state.complete;
    },
  };
}

function stateOf(invalidation: Invalidation | undefined): InvalidationState {
  if (invalidation?.Id === undefined) throw new Error('an answer without an invalidation');
  return { id: invalidation.Id, complete: invalidation.Status === 'Completed' };
}

/** What passes when others have had their turn. Where it was called too often, the client itself has tried a few times. */
function busyWith(error: unknown): Busy | undefined {
  if (!(error instanceof CloudFrontServiceException)) return undefined;
  if (error.name === 'TooManyInvalidationsInProgress') return 'full';
  const isThrottled = /^Throttling(Exception)?$/.test(error.name) || error.$metadata.httpStatusCode === 429;
  return isThrottled ? 'throttled' : undefined;
}

/** For whoever runs the service: what to change. */
function explain(error: unknown, action: Action, distribution: string): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'NoSuchDistribution') {
    const advice = 'CDN must name one that this AWS account has';
    return new Error(`CloudFront knows no distribution ${distribution}: ${advice}`, { cause: error });
  }
  if (name === 'AccessDenied' || name === 'AccessDeniedException') {
    const advice = `whoever this signs as needs the permission cloudfront:${action}`;
    return new Error(`CloudFront refuses distribution ${distribution}: ${advice} (${message})`, {
      cause: error,
    });
  }
  return new Error(`CloudFront failed at ${action} on distribution ${distribution}: ${name}: ${message}`, {
    cause: error,
  });
}
