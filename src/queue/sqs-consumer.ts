import type { Message } from '@aws-sdk/client-sqs';
import PQueue from 'p-queue';
import { backoffDelay, sleep } from '../backoff.ts';
import { MAX_JOBS } from './message.ts';
import { type ProcessMessageOptions, processMessage } from './process-message.ts';
import type { ConsumeOptions, Job } from './queue.ts';
import { BATCH_SIZE, type SqsApi } from './sqs-api.ts';
import type { SqsSender } from './sqs-sender.ts';
import { createVisibilityHeartbeat, type VisibilityHeartbeat } from './visibility-heartbeat.ts';

/** How long to wait when SQS cannot be asked: the first time, and at most. */
const FAULT_DELAY_MS = 1000;
const MAX_FAULT_DELAY_MS = 30_000;

export interface SqsConsumerOptions extends ConsumeOptions {
  calls: SqsApi;
  sender: SqsSender;
  handle: (job: Job) => Promise<void>;
  waitSeconds: number;
  retryDelaySeconds: number;
}

/** Takes messages off the queue until the signal aborts, and ends when what was begun is done and the rest given back. */
export async function consumeSqs(options: SqsConsumerOptions): Promise<void> {
  const { calls, concurrency, signal, report, waitSeconds } = options;
  const attributes = await untilAnswered(() => calls.attributes(['VisibilityTimeout']), options);
  if (!attributes) return;
  // A queue that hides nothing would deliver everything for ever: then each message is hidden from the first beat on.
  const visibilitySeconds = Math.max(attributes.VisibilityTimeout ?? 30, 1);
  const held = createVisibilityHeartbeat({ calls, visibilitySeconds, report });
  const places = new PQueue({ concurrency: concurrency });
  const working = new Set<Promise<void>>();
  // What is received and not begun is kept from others. Nothing is known of the first message.
  let jobsInMessage = MAX_JOBS;

  while (!signal.aborted) {
    await untilPlaceIsFree(places, concurrency);
    const wanted = Math.ceil((concurrency - places.pending) / jobsInMessage);
    const most = Math.min(wanted, BATCH_SIZE);
    const messages = await untilAnswered(() => calls.receive(most, waitSeconds, signal), options);
    if (!messages) break;
    const before = places.pending;
    for (const message of messages) {
      const work = doHeldMessage(message, { ...options, held, places }).finally(() => working.delete(work));
      working.add(work);
    }
    const jobs = places.size + places.pending - before;
    if (messages.length > 0) jobsInMessage = Math.max(jobs / messages.length, 1);
  }
  await Promise.all(working);
  await held.close();
}

interface ConsumerContext extends ProcessMessageOptions {
  held: VisibilityHeartbeat;
}

async function doHeldMessage(message: Message, context: ConsumerContext): Promise<void> {
  const { Body: body = '', ReceiptHandle = '', Attributes } = message;
  const { held } = context;
  held.hold(ReceiptHandle);
  const receipts = Number(Attributes?.ApproximateReceiveCount ?? 1);
  const againAfterSeconds = await processMessage({ body, receipts }, context);
  if (againAfterSeconds === undefined) held.delete(ReceiptHandle);
  else await held.letGo(ReceiptHandle, againAfterSeconds);
}

/** Until none waits for its turn, and at least one more could begin. */
async function untilPlaceIsFree(places: PQueue, concurrency: number): Promise<void> {
  while (places.size > 0 || places.pending >= concurrency) {
    await new Promise<void>((resolve) => places.once('next', resolve));
  }
}

/** Asks until there is an answer. `undefined` when the signal aborts before. */
async function untilAnswered<T>(
  ask: () => Promise<T>,
  { signal, report }: ConsumeOptions,
): Promise<T | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await ask();
    } catch (fault) {
      if (signal.aborted) break;
      report(fault);
      await sleep(backoffDelay(FAULT_DELAY_MS, failures, MAX_FAULT_DELAY_MS), signal);
    }
  }
  return undefined;
}
