import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type QueueAttributeName,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { configuredRegion } from '../aws-region.ts';
import { backoffDelay } from '../backoff.ts';
import { MissingResource } from '../missing-resource.ts';
import { withoutRefusedGroups } from './refused-groups.ts';

/** SQS's limit on the messages of one call, in any direction. */
export const BATCH_SIZE = 10;
/** SQS's limit on a `delaySeconds`. */
export const MAX_DELAY_SECONDS = 900;
/** For one call with all its attempts, except `receive`. A call usually takes tens of milliseconds. */
const CALL_TIMEOUT_MS = 5000;

export interface SqsQueueLocation {
  url: string;
  /** From `createSqsClient`, which sets the timeouts of requests. */
  client: SQSClient;
  /** Called once with the reason if the queue refuses message groups: messages are sent without them from then on. */
  onUnfair?: (reason: string) => void;
}

/** An entry of a batch that SQS refused. */
export interface FailedEntry {
  /** Its index in the batch. */
  index: number;
  reason: string;
}

export interface OutgoingMessage {
  body: string;
  /**
   * Its `MessageGroupId`. A standard queue is fair with it: while messages of one group fill the queue, those of others are delivered first.
   * It orders nothing, unlike in a FIFO queue.
   */
  group: string | undefined;
}

/** The calls to one queue. A batch has 1 to 10 entries; its call returns those that failed. */
export interface SqsApi {
  send(messages: readonly OutgoingMessage[], delaySeconds: number): Promise<FailedEntry[]>;
  /**
   * @param maxMessages - 1 to 10
   * @param waitSeconds - how long to wait for the first message: at most 20
   */
  receive(maxMessages: number, waitSeconds: number, signal: AbortSignal): Promise<Message[]>;
  delete(receiptHandles: readonly string[]): Promise<FailedEntry[]>;
  /** Makes received messages invisible for so many seconds from now: at most 43,200. */
  changeVisibility(receiptHandles: readonly string[], seconds: number): Promise<FailedEntry[]>;
  /** Returns those of the named attributes that the queue has. All of them must be numbers. */
  getAttributes<Name extends QueueAttributeName>(
    names: readonly Name[],
  ): Promise<Partial<Record<Name, number>>>;
  /** Returns how often a message is received before it becomes a dead letter; `undefined`: the queue has no redrive policy. */
  getMaxReceives(): Promise<number | undefined>;
}

export function createSqsApi({ url, client, onUnfair = () => {} }: SqsQueueLocation): SqsApi {
  nameMissingQueue({ url, client });
  const queue = { QueueUrl: url };

  async function send(messages: readonly OutgoingMessage[], delaySeconds: number): Promise<FailedEntry[]> {
    const Entries = messages.map(({ body, group }, index) => ({
      Id: String(index),
      MessageBody: body,
      DelaySeconds: delaySeconds,
      ...(group !== undefined && { MessageGroupId: group }),
    }));
    return failedEntries(
      await client.send(new SendMessageBatchCommand({ ...queue, Entries }), withTimeout()),
    );
  }

  return {
    send: withoutRefusedGroups(send, onUnfair),

    async receive(maxMessages, waitSeconds, abortSignal) {
      const { Messages } = await client.send(
        new ReceiveMessageCommand({
          ...queue,
          MaxNumberOfMessages: maxMessages,
          WaitTimeSeconds: waitSeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
        { abortSignal },
      );
      return Messages ?? [];
    },

    async delete(receiptHandles) {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      return failedEntries(
        await client.send(new DeleteMessageBatchCommand({ ...queue, Entries }), withTimeout()),
      );
    },

    async changeVisibility(receiptHandles, seconds) {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: seconds,
      }));
      return failedEntries(
        await client.send(new ChangeMessageVisibilityBatchCommand({ ...queue, Entries }), withTimeout()),
      );
    },

    async getAttributes(names) {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ ...queue, AttributeNames: [...names] }),
        withTimeout(),
      );
      const numbers = Object.entries(Attributes ?? {}).map(([name, value]) => [name, Number(value)]);
      return Object.fromEntries(numbers) as Partial<Record<(typeof names)[number], number>>;
    },

    async getMaxReceives() {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ ...queue, AttributeNames: ['RedrivePolicy'] }),
        withTimeout(),
      );
      const policy: { maxReceiveCount?: number | string } = JSON.parse(Attributes?.RedrivePolicy ?? '{}');
      return policy.maxReceiveCount === undefined ? undefined : Number(policy.maxReceiveCount);
    },
  };
}

/** Makes calls about this queue throw a `MissingResource` when SQS says that there is none. */
function nameMissingQueue({ url, client }: SqsQueueLocation): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        // The second is what servers of others say, as SQS did.
        const isMissing = /^QueueDoesNotExist$|NonExistentQueue$/.test((error as Error).name);
        const isOfQueue = 'QueueUrl' in args.input && args.input.QueueUrl === url;
        throw isMissing && isOfQueue ? new MissingResource(`queue ${url}`, 'QUEUE', error) : error;
      }
    },
    { step: 'initialize', name: `missing queue ${url}`, override: true },
  );
}

/** Returns a function that asks the queue once how often a message is received before it becomes a dead letter. */
export function createMaxReceives(api: Pick<SqsApi, 'getMaxReceives'>): () => Promise<number | undefined> {
  let asking: Promise<number | undefined> | undefined;
  return () => {
    asking ??= api.getMaxReceives().catch((error: unknown) => {
      asking = undefined;
      throw error;
    });
    return asking;
  };
}

function withTimeout(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) };
}

function failedEntries({ Failed }: { Failed?: BatchResultErrorEntry[] | undefined }): FailedEntry[] {
  return (Failed ?? []).map(({ Id, Code, Message }) => ({
    index: Number(Id),
    reason: [Code, Message].filter(Boolean).join(': '),
  }));
}

/** Splits items, in their order, into batches of the size that one call takes. */
export function toBatches<T>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += BATCH_SIZE)
    batches.push(items.slice(start, start + BATCH_SIZE));
  return batches;
}

const CONNECTION_TIMEOUT_MS = 1000;
/** How long a socket may be idle. SQS keeps a `ReceiveMessage` request open for 20 s when there are no messages. */
const SOCKET_TIMEOUT_MS = 30_000;
/** The first attempt included. */
const MAX_ATTEMPTS = 3;
const FIRST_RETRY_DELAY_MS = 200;

export interface SqsClientOptions {
  /** An SQS other than Amazon's, as `http://host:port`. */
  endpoint?: string | undefined;
  /** Default: what the SDK finds in the environment, the shared files or the role of the machine. */
  credentials?: SQSClientConfig['credentials'];
}

/**
 * Returns a client that gives up on an SQS that does not answer: after 1 s without a connection or 30 s without data, in each of
 * three attempts. Calls other than `ReceiveMessage` should pass a shorter `abortSignal`. The region is what the SDK finds; with an
 * `endpoint`, where most people have configured none, it is `us-east-1` when the SDK finds none.
 */
export function createSqsClient({ endpoint, credentials }: SqsClientOptions = {}): SQSClient {
  return new SQSClient({
    retryStrategy: new ConfiguredRetryStrategy(MAX_ATTEMPTS, (attempt) =>
      backoffDelay(FIRST_RETRY_DELAY_MS, attempt),
    ),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint, region: configuredRegion(() => new SQSClient({})) }),
  });
}
