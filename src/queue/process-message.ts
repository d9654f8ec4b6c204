import { backoffDelay } from '../backoff.ts';
import { doJobForTheLastTime, isLastReceipt, type LastReceiptOptions, tryToGiveUp } from './last-receipt.ts';
import { decodeMessage } from './message.ts';
import { readObjectEvent } from './object-event.ts';
import type { ConsumeOptions, IngestProgress, Job, ObjectToIngest } from './queue.ts';
import { POSTPONE_SECONDS, runJobs } from './run-jobs.ts';
import { MAX_DELAY_SECONDS } from './sqs-api.ts';
import type { SqsSender } from './sqs-sender.ts';

/** The delay before the second attempt of a job that failed. */
export const RETRY_DELAY_SECONDS = 5;
/**
 * A message that is received for the third time was started twice and never finished: one of its jobs may kill its worker. That job
 * must not take the others to the dead letters with it.
 */
const SUSPECT_RECEIPTS = 3;

export interface ProcessMessageOptions extends LastReceiptOptions, Pick<ConsumeOptions, 'ingestObject'> {
  sender: SqsSender;
  /** The delay before a job that failed is delivered again: whole seconds, doubled with each failure of a job that is alone. */
  retryDelaySeconds: number;
}

/** A message from SQS, as a consumer or a Lambda function receives it. */
export interface ReceivedMessage {
  body: string;
  /** How often the message has been received, including this time. */
  receipts: number;
}

/**
 * Does the jobs of a message. If the message has several jobs, those that fail are sent again, each in a message of its own, so that
 * no job is repeated, or becomes a dead letter, because of another. Jobs that the signal stops are sent again together. A job
 * whose host is in use by other processes is sent again alone, and has not failed. A message with a single job is left to the queue, whose
 * redrive policy counts how often it was received, as is an event of S3 whose objects cannot all be ingested. Never throws: errors go to
 * `onError`.
 *
 * @returns `undefined` when the message is to be deleted, else after how many seconds it is to be received again
 */
export async function processMessage(
  { body, receipts }: ReceivedMessage,
  options: ProcessMessageOptions,
): Promise<number | undefined> {
  const { sender, onError, retryDelaySeconds } = options;
  const receiveAgainSeconds = backoffDelay(retryDelaySeconds, receipts, MAX_DELAY_SECONDS);
  try {
    const objects = options.ingestObject && readObjectEvent(body);
    if (objects) return (await ingestObjects(objects, options)) ? undefined : 0;
    const jobs = decodeMessage(body);
    if (jobs.length > 1 && receipts >= SUSPECT_RECEIPTS) {
      onError(
        new Error(
          `${jobs.length} units were received ${receipts} times and never finished: each is sent alone`,
        ),
      );
      await sender.sendAlone(jobs, retryDelaySeconds);
      return undefined;
    }
    const [job] = jobs;
    if (receipts >= SUSPECT_RECEIPTS && job) {
      const isLast = await isLastReceipt(receipts, options);
      if (isLast !== 'no') return await doJobForTheLastTime(job, receiveAgainSeconds, isLast, options);
    }
    // Without a wait before: a consumer counts what has been added to the pool.
    return await doJobs(jobs, receipts, receiveAgainSeconds, options);
  } catch (error) {
    onError(error);
    return receiveAgainSeconds;
  }
}

/** As `processMessage`, unless it is known that this is the last receipt. */
async function doJobs(
  jobs: readonly Job[],
  receipts: number,
  receiveAgainSeconds: number,
  options: ProcessMessageOptions,
): Promise<number | undefined> {
  const { sender, retryDelaySeconds } = options;
  const { failed, stopped, postponed, isStarted } = await runJobs(jobs, options);
  await sender.sendAlone(postponed, POSTPONE_SECONDS);
  const isUntouched = stopped.length > 0 && !isStarted;
  if (isUntouched || (jobs.length === 1 && stopped.length > 0)) return 0;
  const [first] = failed;
  if (jobs.length === 1 && first) {
    // Of a queue that delivers a message only once or twice.
    const isLast = (await isLastReceipt(receipts, options)) === 'yes';
    if (!isLast || (await tryToGiveUp(first, options))) return receiveAgainSeconds;
  }
  await sender.sendAlone(
    failed.map(({ job }) => job),
    retryDelaySeconds,
  );
  await sender.send(stopped);
  return undefined;
}

/**
 * Ingests new objects. What the signal has stopped is sent anew with how far it came, so that a large object takes as many messages as it
 * needs. To ingest one again, because of another or of a stop, is safe.
 *
 * @returns whether the message is done: `false` when nothing was, because of the signal
 * @throws the error of the first object that cannot be ingested, when the others have been
 */
async function ingestObjects(
  objects: readonly ObjectToIngest[],
  { ingestObject, pool, signal, sender }: IngestObjectsOptions,
): Promise<boolean> {
  const unstarted: ObjectToIngest[] = [];
  const ingest = async (object: ObjectToIngest): Promise<IngestProgress | undefined> => {
    if (!signal.aborted) return await ingestObject?.(object);
    unstarted.push(object);
    return undefined;
  };
  const results = await Promise.allSettled(objects.map((object) => pool.add(() => ingest(object))));
  const left = results.flatMap((result, index) => {
    const object = objects[index];
    return object && result.status === 'fulfilled' && result.value
      ? [{ ...object, progress: result.value }]
      : [];
  });
  const first = results.find((result) => result.status === 'rejected');
  if (first && !signal.aborted) throw first.reason;
  if (left.length === 0) return unstarted.length === 0 && !first;
  // Each alone from now on: one that fails again does not take back how far the others came.
  const failed = objects.filter((_, index) => results[index]?.status === 'rejected');
  await sender.sendObjects([...left, ...unstarted, ...failed]);
  return true;
}

type IngestObjectsOptions = Pick<ProcessMessageOptions, 'ingestObject' | 'pool' | 'signal' | 'sender'>;
