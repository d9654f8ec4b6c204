import type PQueue from 'p-queue';
import { backoffDelay } from '../backoff.ts';
import { isCrowded } from '../source/host-slots.ts';
import { decodeMessage } from './message.ts';
import { readObjectEvent } from './object-event.ts';
import type { ConsumeOptions, IngestProgress, Job, ObjectToIngest } from './queue.ts';
import { MAX_DELAY_SECONDS } from './sqs-api.ts';
import type { SqsSender } from './sqs-sender.ts';

/** The delay before the second attempt of a job that failed. */
export const RETRY_DELAY_SECONDS = 5;
/**
 * A message that is received for the third time was started twice and never finished: one of its jobs may kill its worker. That job
 * must not take the others to the dead letters with it.
 */
const SUSPECT_RECEIPTS = 3;

/** When a job is to be tried again whose images could not be fetched, since other processes fetch as much from their host as is allowed. */
const POSTPONE_SECONDS = 120;

export interface ProcessMessageOptions
  extends Pick<ConsumeOptions, 'signal' | 'onError' | 'onGiveUp' | 'ingestObject'> {
  handle: (job: Job) => Promise<void>;
  /** Bounds the jobs in flight, of all messages together. */
  pool: PQueue;
  sender: SqsSender;
  /** Returns how often a message is received before it becomes a dead letter; `undefined`: as often as it takes. */
  maxReceives: () => Promise<number | undefined>;
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
 * redrive policy counts how often it was received, as is an event of S3 whose objects cannot all be ingested. A job that cannot be given up at
 * the last receipt is sent anew. Never throws: errors go to `onError`.
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
    const { failed, stopped, postponed, isStarted } = await runJobs(jobs, options);
    await sender.sendAlone(postponed, POSTPONE_SECONDS);
    const isUntouched = stopped.length > 0 && !isStarted;
    if (isUntouched || (jobs.length === 1 && stopped.length > 0)) return 0;
    if (jobs.length === 1 && failed.length > 0) {
      if (await giveUpIfLast(failed, receipts, options)) return receiveAgainSeconds;
      await sender.sendAlone(jobs, receiveAgainSeconds);
      return undefined;
    }
    await sender.sendAlone(
      failed.map(({ job }) => job),
      retryDelaySeconds,
    );
    await sender.send(stopped);
    return undefined;
  } catch (error) {
    onError(error);
    return receiveAgainSeconds;
  }
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
  const failed = results.find((result) => result.status === 'rejected');
  if (failed && !signal.aborted) throw failed.reason;
  if (failed || left.length === 0) return unstarted.length === 0 && !failed;
  await sender.sendObjects([...left, ...unstarted]);
  return true;
}

type IngestObjectsOptions = Pick<ProcessMessageOptions, 'ingestObject' | 'pool' | 'signal' | 'sender'>;

interface FailedJob {
  job: Job;
  error: unknown;
}

/**
 * If this was the last receipt of a message, SQS moves it to the dead letters when it would be received again.
 *
 * @returns `false` if it was, but could not be told: usually because of the fault for which the job failed
 */
async function giveUpIfLast(
  failed: readonly FailedJob[],
  receipts: number,
  { onGiveUp, maxReceives, onError }: Pick<ProcessMessageOptions, 'onGiveUp' | 'maxReceives' | 'onError'>,
): Promise<boolean> {
  if (!onGiveUp || receipts < ((await maxReceives()) ?? Number.POSITIVE_INFINITY)) return true;
  try {
    for (const { job, error } of failed) await onGiveUp(job, error);
    return true;
  } catch (error) {
    onError(error);
    return false;
  }
}

type JobsOptions = Pick<ProcessMessageOptions, 'handle' | 'pool' | 'signal' | 'onError'>;

/** Does the jobs of a message. Returns those that failed, and those that did not start or were interrupted because the signal aborted. */
async function runJobs(jobs: readonly Job[], { handle, pool, signal, onError }: JobsOptions) {
  let isStarted = false;
  const failed: FailedJob[] = [];
  const runJob = async (job: Job): Promise<'done' | 'failed' | 'stopped' | 'postponed'> => {
    if (signal.aborted) return 'stopped';
    isStarted = true;
    try {
      await handle(job);
      return 'done';
    } catch (error) {
      // After an abort, an error means that the job was interrupted, not that it failed.
      if (signal.aborted) return 'stopped';
      if (isCrowded(error)) return 'postponed';
      onError(error, job);
      failed.push({ job, error });
      return 'failed';
    }
  };
  const results = await Promise.all(jobs.map((job) => pool.add(() => runJob(job))));
  return {
    // In the order of the jobs.
    failed: jobs.flatMap((job) => failed.filter((each) => each.job === job)),
    stopped: jobs.filter((_, index) => results[index] === 'stopped'),
    postponed: jobs.filter((_, index) => results[index] === 'postponed'),
    isStarted,
  };
}
