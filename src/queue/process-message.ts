import type PQueue from 'p-queue';
import { backoffDelay } from '../backoff.ts';
import { handleMessage, type JobFailure } from './message.ts';
import type { ConsumeOptions, Job } from './queue.ts';
import { MAX_DELAY_SECONDS } from './sqs-api.ts';
import type { SqsSender } from './sqs-sender.ts';

/** How long a job that has failed waits at first. */
export const RETRY_DELAY_SECONDS = 5;

/** Why a job was not done: there was no time left to begin it, or to finish it. */
const STOPPED = new Error('stopped before it was done');

export interface ProcessMessageOptions extends Pick<ConsumeOptions, 'signal' | 'report'> {
  handle: (job: Job) => Promise<void>;
  /** Where jobs wait for their turn. */
  places: PQueue;
  sender: SqsSender;
  /** How long a job that has failed waits: whole seconds, twice as many each time that it fails alone. */
  retryDelaySeconds: number;
}

/** A message of SQS, as a consumer or a function gets it. */
export interface ReceivedMessage {
  body: string;
  /** How often it has been received, this time included. */
  receipts: number;
}

/**
 * Does the jobs of a message. What fails of several goes back to the queue alone; what was cut short by the signal, together.
 *
 * @returns `undefined` when it is to be deleted, else after how many seconds it is to be received again. Never throws
 */
export async function processMessage(
  { body, receipts }: ReceivedMessage,
  { places, sender, handle, signal, report, retryDelaySeconds }: ProcessMessageOptions,
): Promise<number | undefined> {
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

  try {
    await handleMessage(body, doJob, sendAgain, receipts);
    return undefined;
  } catch (fault) {
    if (fault === STOPPED) return 0;
    if (!told.has(fault)) report(fault);
    return backoffDelay(retryDelaySeconds, receipts, MAX_DELAY_SECONDS);
  }
}

function jobsOf(failures: readonly JobFailure[]): Job[] {
  return failures.map(({ job }) => job);
}
