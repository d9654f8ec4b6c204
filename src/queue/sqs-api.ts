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

/** SQS's bound on the messages of one call, in any direction. */
export const BATCH_SIZE = 10;
/** SQS's bound on a `delaySeconds`. */
export const MAX_DELAY_SECONDS = 900;
/** For one call with all its attempts, but for the one that waits for messages. It mostly takes tens of milliseconds. */
const CALL_TIMEOUT_MS = 5000;

export interface SqsQueueLocation {
  url: string;
  /** From `createSqsClient`, which bounds how long a request may take. */
  client: SQSClient;
}

/** A message of a batch that SQS did not do what was asked with. */
export interface Refusal {
  /** Its place in the batch. */
  index: number;
  why: string;
}

/** What is asked of one queue. A batch is of 1 to 10, and what is returned are those that were refused. */
export interface SqsApi {
  send(bodies: readonly string[], delaySeconds: number): Promise<Refusal[]>;
  /** @param waitSeconds - how long to wait for the first message: at most 20 */
  receive(most: number, waitSeconds: number, signal: AbortSignal): Promise<Message[]>;
  delete(receiptHandles: readonly string[]): Promise<Refusal[]>;
  /** Hides messages that were received for so long from now, at most 43,200 s. */
  hide(receiptHandles: readonly string[], seconds: number): Promise<Refusal[]>;
  /** Those of these attributes, all of them numbers, that the queue has. */
  attributes<Name extends QueueAttributeName>(names: readonly Name[]): Promise<Partial<Record<Name, number>>>;
}

export function createSqsApi({ url, client }: SqsQueueLocation): SqsApi {
  const queue = { QueueUrl: url };
  return {
    async send(bodies, delaySeconds) {
      const Entries = bodies.map((MessageBody, index) => ({
        Id: String(index),
        MessageBody,
        DelaySeconds: delaySeconds,
      }));
      return refusals(await client.send(new SendMessageBatchCommand({ ...queue, Entries }), within()));
    },

    async receive(most, waitSeconds, abortSignal) {
      const { Messages } = await client.send(
        new ReceiveMessageCommand({
          ...queue,
          MaxNumberOfMessages: most,
          WaitTimeSeconds: waitSeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
        { abortSignal },
      );
      return Messages ?? [];
    },

    async delete(receiptHandles) {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
      return refusals(await client.send(new DeleteMessageBatchCommand({ ...queue, Entries }), within()));
    },

    async hide(receiptHandles, seconds) {
      const Entries = receiptHandles.map((ReceiptHandle, index) => ({
        Id: String(index),
        ReceiptHandle,
        VisibilityTimeout: seconds,
      }));
      return refusals(
        await client.send(new ChangeMessageVisibilityBatchCommand({ ...queue, Entries }), within()),
      );
    },

    async attributes(names) {
      const AttributeNames = [...names];
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ ...queue, AttributeNames }),
        within(),
      );
      const found = Object.entries(Attributes ?? {}).map(([name, value]) => [name, Number(value)]);
      return Object.fromEntries(found) as Partial<Record<(typeof names)[number], number>>;
    },
  };
}

function within(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) };
}

function refusals({ Failed }: { Failed?: BatchResultErrorEntry[] | undefined }): Refusal[] {
  return (Failed ?? []).map(({ Id, Code, Message }) => ({
    index: Number(Id),
    why: [Code, Message].filter(Boolean).join(': '),
  }));
}

/** In their order, each as large as one call takes. */
export function toBatches<T>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let from = 0; from < items.length; from += BATCH_SIZE)
    batches.push(items.slice(from, from + BATCH_SIZE));
  return batches;
}

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
