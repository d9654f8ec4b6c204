import type { Message } from '@aws-sdk/client-sqs';
import PQueue from 'p-queue';
import { createHeldMessages, type HeldMessages } from './held-messages.ts';
import { handleMessage, type JobFailure, MAX_JOBS } from './message.ts';
import { backoff, pause } from './pause.ts';
import type { ConsumeOptions, Job } from './queue.ts';
import { BATCH_SIZE, MAX_DELAY_SECONDS, type SqsCalls } from './sqs-calls.ts';
import type { SqsSender } from './sqs-sender.ts';

/** How long to wait when SQS cannot be asked: the first time, and at most. */
const FAULT_DELAY_MS = 1000;
const MAX_FAULT_DELAY_MS = 30_000;

/** Why a job was not done: there was no time left to begin it, or to finish it. */
const STOPPED = new Error('stopped before it was done');

export interface SqsConsumerOptions extends ConsumeOptions {
  calls: SqsCalls;
  sender: SqsSender;
  handle: (job: Job) => Promise<void>;
  waitSeconds: number;
  retryDelaySeconds: number;
}

/** Takes messages off the queue until the signal aborts, and ends when what was begun is done and the rest given back. */
export async function consumeMessages(options: SqsConsumerOptions): Promise<void> {
  const { calls, atOnce, signal, report, waitSeconds } = options;
  const attributes = await untilAnswered(() => calls.attributes(['VisibilityTimeout']), options);
  if (!attributes) return;
  // A queue that hides nothing would deliver everything for ever: then each message is hidden from the first beat on.
  const visibilitySeconds = Math.max(attributes.VisibilityTimeout ?? 30, 1);
  const held = createHeldMessages({ calls, visibilitySeconds, report });
  const places = new PQueue({ concurrency: atOnce });
  const working = new Set<Promise<void>>();
  // What is received and not begun is kept from others. Nothing is known of the first message.
  let jobsInMessage = MAX_JOBS;

  while (!signal.aborted) {
    await untilPlaceIsFree(places, atOnce);
    const wanted = Math.ceil((atOnce - places.pending) / jobsInMessage);
    const most = Math.min(wanted, BATCH_SIZE);
    const messages = await untilAnswered(() => calls.receive(most, waitSeconds, signal), options);
    if (!messages) break;
    const before = places.pending;
    for (const message of messages) {
      const work = doMessage(message, { ...options, held, places }).finally(() => working.delete(work));
      working.add(work);
    }
    const jobs = places.size + places.pending - before;
    if (messages.length > 0) jobsInMessage = Math.max(jobs / messages.length, 1);
  }
  await Promise.all(working);
  await held.close();
}

interface MessageContext extends SqsConsumerOptions {
  held: HeldMessages;
  places: PQueue;
}

async function doMessage(message: Message, context: MessageContext): Promise<void> {
  const { Body = '', ReceiptHandle = '', Attributes } = message;
  const { held, places, sender, handle, signal, report, retryDelaySeconds } = context;
  const receipts = Number(Attributes?.ApproximateReceiveCount ?? 1);
  const told = new Set<unknown>();
  let begun = false;

  const doJob = (job: Job) =>
    places.add(async () => {
      if (signal.aborted) throw STOPPED;
      begun = true;
      try {
        await handle(job);
      } catch (fault) {
        // What was cut short has not failed.
        if (signal.aborted) throw STOPPED;
        told.add(fault);
        report(fault, job);
        throw fault;
      }
    });
  const sendAgain = async (failures: readonly JobFailure[]) => {
    const left = failures.filter(({ fault }) => fault === STOPPED);
    if (left.length > 0 && !begun) throw STOPPED;
    const failed = failures.filter(({ fault }) => fault !== STOPPED);
    const [unheardOf] = failed.filter(({ fault }) => !told.has(fault));
    if (unheardOf) report(unheardOf.fault);
    await sender.sendAlone(jobsOf(failed), retryDelaySeconds);
    await sender.send(jobsOf(left));
  };

  held.hold(ReceiptHandle);
  try {
    await handleMessage(Body, doJob, sendAgain, receipts);
    held.delete(ReceiptHandle);
  } catch (fault) {
    if (fault === STOPPED) return await held.letGo(ReceiptHandle, 0);
    if (!told.has(fault)) report(fault);
    await held.letGo(ReceiptHandle, backoff(retryDelaySeconds, receipts, MAX_DELAY_SECONDS));
  }
}

function jobsOf(failures: readonly JobFailure[]): Job[] {
  return failures.map(({ job }) => job);
}

/** Until none waits for its turn, and at least one more could begin. */
async function untilPlaceIsFree(places: PQueue, atOnce: number): Promise<void> {
  while (places.size > 0 || places.pending >= atOnce) {
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
      await pause(backoff(FAULT_DELAY_MS, failures, MAX_FAULT_DELAY_MS), signal);
    }
  }
  return undefined;
}
