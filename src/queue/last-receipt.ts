import type { ConsumeOptions, Job } from './queue.ts';
import { type FailedJob, POSTPONE_SECONDS, type RunJobsOptions, runJobs } from './run-jobs.ts';
import type { SqsSender } from './sqs-sender.ts';

export interface LastReceiptOptions
  extends RunJobsOptions,
    Pick<ConsumeOptions, 'onGiveUp' | 'onLastAttempt'> {
  sender: Pick<SqsSender, 'sendAlone'>;
  /** Returns how often a message is received before it becomes a dead letter; `undefined`: as often as it takes. */
  maxReceives: () => Promise<number | undefined>;
}

/**
 * Returns whether SQS moves a message to the dead letters when it would be received again. Never throws.
 *
 * @param receipts - how often it has been received, including this time
 */
export async function isLastReceipt(
  receipts: number,
  { maxReceives, onError }: Pick<LastReceiptOptions, 'maxReceives' | 'onError'>,
): Promise<'yes' | 'no' | 'unknown'> {
  try {
    return receipts >= ((await maxReceives()) ?? Number.POSITIVE_INFINITY) ? 'yes' : 'no';
  } catch (error) {
    onError(error);
    return 'unknown';
  }
}

/**
 * Does the job of a message at its last receipt. If it fails, it is given up, and the message is left to become a dead letter. If it cannot be
 * noted that this is the last attempt, or that the job is given up, usually because of the fault for which it failed, it is sent anew; as is one
 * that was stopped, since it has not failed.
 *
 * @param isLast - with `unknown`, a job that fails is sent anew
 * @returns what `processMessage` returns
 * @throws the error of SQS, when the job cannot be sent
 */
export async function doJobForTheLastTime(
  job: Job,
  receiveAgainSeconds: number,
  isLast: 'yes' | 'unknown',
  options: LastReceiptOptions,
): Promise<number | undefined> {
  const { sender, onLastAttempt, onError } = options;
  let end: (() => Promise<void>) | undefined;
  try {
    end = await onLastAttempt?.(job);
  } catch (error) {
    onError(error);
    await sender.sendAlone([job], receiveAgainSeconds);
    return undefined;
  }
  const { failed, stopped, postponed } = await runJobs([job], options);
  const [first] = failed;
  const isGivenUp = first !== undefined && isLast === 'yes' && (await tryToGiveUp(first, options));
  await sender.sendAlone(postponed, POSTPONE_SECONDS);
  await sender.sendAlone(stopped, 0);
  if (first && !isGivenUp) await sender.sendAlone([job], receiveAgainSeconds);
  await end?.();
  return isGivenUp ? receiveAgainSeconds : undefined;
}

/** Gives up a job. Returns whether that succeeded; if not, its message must not become a dead letter. Never throws. */
export async function tryToGiveUp(
  { job, error }: FailedJob,
  { onGiveUp, onError }: Pick<LastReceiptOptions, 'onGiveUp' | 'onError'>,
): Promise<boolean> {
  try {
    await onGiveUp?.(job, error);
    return true;
  } catch (failure) {
    onError(failure);
    return false;
  }
}
