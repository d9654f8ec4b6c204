import type { Message } from '@aws-sdk/client-sqs';
import PQueue from 'p-queue';
import { backoffDelay, sleep } from '../backoff.ts';
import { MAX_MESSAGE_JOBS } from './message.ts';
import { type ProcessMessageOptions, processMessage, RETRY_DELAY_SECONDS } from './process-message.ts';
import type { ConsumeOptions, Job, UnitQueue } from './queue.ts';
import {
  BATCH_SIZE,
  createMaxReceives,
  createSqsApi,
  type SqsApi,
  type SqsQueueLocation,
} from './sqs-api.ts';
import { createSqsSender } from './sqs-sender.ts';
import { createVisibilityHeartbeat, type VisibilityHeartbeat } from './visibility-heartbeat.ts';

/** The longest that SQS allows: fewer calls, and messages still arrive as soon as they are sent. */
const WAIT_SECONDS = 20;
/** What SQS itself uses when a queue does not say. */
const DEFAULT_VISIBILITY_SECONDS = 30;
/** The delay before a call to SQS that failed is repeated: at first, and at most. */
const RETRY_DELAY_MS = 1000;
const MAX_RETRY_DELAY_MS = 30_000;

export interface SqsQueueOptions extends SqsQueueLocation {
  /** How long one call waits for messages: at most 20, the default. */
  waitSeconds?: number;
  /**
   * The delay before a job that failed is delivered again: whole seconds, doubled with each failure of a job that is alone in its
   * message, up to 15 minutes. Default: 5.
   */
  retryDelaySeconds?: number;
}

/**
 * Returns a queue in SQS, of the standard kind. Two settings are those of the queue itself: the visibility timeout, which a consumer
 * extends while it processes a message, and the number of receipts after which a message becomes a dead letter. That number should be
 * five or more, since a message is also received again when its consumer stops or dies.
 */
export function createSqsQueue({
  waitSeconds = WAIT_SECONDS,
  retryDelaySeconds = RETRY_DELAY_SECONDS,
  ...location
}: SqsQueueOptions): UnitQueue {
  const api = createSqsApi(location);
  const sender = createSqsSender(api);
  return {
    send: sender.send,

    async consume(handle, options) {
      const pool = new PQueue({ concurrency: options.concurrency });
      const maxReceives = createMaxReceives(api);
      await consume({ ...options, handle, api, sender, pool, maxReceives, waitSeconds, retryDelaySeconds });
    },

    /** In messages. */
    async depth() {
      const counts = await api.getAttributes([
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ]);
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
  };
}

interface Consumer extends ConsumeOptions, ProcessMessageOptions {
  handle: (job: Job) => Promise<void>;
  api: SqsApi;
  waitSeconds: number;
}

async function consume(consumer: Consumer): Promise<void> {
  const { api, pool, concurrency, signal, onError, waitSeconds } = consumer;
  const attributes = await retryUntilAborted(() => api.getAttributes(['VisibilityTimeout']), consumer);
  if (!attributes) return;
  // With a timeout of 0 the queue would deliver every message over and over: then a message is invisible from the first beat on.
  const visibilitySeconds = Math.max(attributes.VisibilityTimeout ?? DEFAULT_VISIBILITY_SECONDS, 1);
  const heartbeat = createVisibilityHeartbeat({ api, visibilitySeconds, onError });
  const inFlight = new Set<Promise<void>>();
  // Messages that are received before their jobs can start are kept from other consumers. Until messages have been received, the
  // number of their jobs is unknown.
  let jobsPerMessage = MAX_MESSAGE_JOBS;

  while (!signal.aborted) {
    await untilPoolIsFree(pool, concurrency);
    const maxMessages = Math.min(Math.ceil((concurrency - pool.pending) / jobsPerMessage), BATCH_SIZE);
    const messages = await retryUntilAborted(() => api.receive(maxMessages, waitSeconds, signal), consumer);
    if (!messages) break;
    const jobsBefore = pool.pending;
    for (const message of messages) {
      const work = consumeMessage(message, heartbeat, consumer).finally(() => inFlight.delete(work));
      inFlight.add(work);
    }
    const jobs = pool.size + pool.pending - jobsBefore;
    if (messages.length > 0) jobsPerMessage = Math.max(jobs / messages.length, 1);
  }
  await Promise.all(inFlight);
  await heartbeat.close();
}

async function consumeMessage(
  { Body: body = '', ReceiptHandle: receiptHandle = '', Attributes }: Message,
  heartbeat: VisibilityHeartbeat,
  consumer: Consumer,
): Promise<void> {
  heartbeat.track(receiptHandle);
  const receipts = Number(Attributes?.ApproximateReceiveCount ?? 1);
  const receiveAgainSeconds = await processMessage({ body, receipts }, consumer);
  if (receiveAgainSeconds === undefined) heartbeat.delete(receiptHandle);
  else await heartbeat.release(receiptHandle, receiveAgainSeconds);
}

/** Resolves when no job waits in the pool, and at least one more could start. */
async function untilPoolIsFree(pool: PQueue, concurrency: number): Promise<void> {
  while (pool.size > 0 || pool.pending >= concurrency) {
    await new Promise<void>((resolve) => pool.once('next', resolve));
  }
}

/** Retries a call, with backoff, until it succeeds. Returns `undefined` when the signal aborts before that. */
async function retryUntilAborted<T>(
  call: () => Promise<T>,
  { signal, onError }: Pick<ConsumeOptions, 'signal' | 'onError'>,
): Promise<T | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) break;
      onError(error);
      await sleep(backoffDelay(RETRY_DELAY_MS, failures, MAX_RETRY_DELAY_MS), signal);
    }
  }
  return undefined;
}
