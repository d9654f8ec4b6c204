import { z } from 'zod';
import { type Job, jobSchema } from './queue.ts';

/**
 * The work in one message. Calls are what SQS charges for, so many units share one. But a worker has to finish its messages well
 * within Lambda's 15 minutes: at 3 s an image, two variants at their best, 50 images are two and a half minutes.
 */
export const MAX_IMAGES = 50;
/**
 * How many units have to be done again when a worker dies. And since a unit's id is at most 128 characters, ten messages are
 * 50 KB at most: SQS takes 256 KiB (since 2025, 1 MiB).
 */
export const MAX_JOBS = 25;
/**
 * A message that comes for the third time was twice begun and never finished: one of its jobs may kill whoever does it. It must
 * not take the others to the dead letters with it.
 */
const SUSPECT_RECEIPTS = 3;

const messageSchema = z.object({ v: z.literal(1), jobs: z.array(jobSchema).min(1) });

/** A job of a message, and why it failed. */
export interface JobFailure {
  job: Job;
  fault: unknown;
}

/** Packs jobs, in their order, into the bodies of messages of about equal work. A unit with more images has one for itself. */
export function packMessages(jobs: readonly Job[]): string[] {
  const bodies: string[] = [];
  let packed: Job[] = [];
  let images = 0;
  for (const job of jobs) {
    const isFull = packed.length === MAX_JOBS || images + job.images > MAX_IMAGES;
    // A source may be 4,096 characters long: a few of them, and a batch of messages would be too large for SQS.
    if (packed.length > 0 && (isFull || job.upgrade)) {
      bodies.push(writeMessage(packed));
      packed = [];
      images = 0;
    }
    packed.push(job);
    images += job.images;
  }
  if (packed.length > 0) bodies.push(writeMessage(packed));
  return bodies;
}

/** The body of one message with these jobs. */
export function writeMessage(jobs: readonly Job[]): string {
  return JSON.stringify({
    v: 1,
    jobs: jobs.map(({ unit, images, retry, invalidate, upgrade }) => ({
      ...{ unit, images, retry, invalidate, upgrade },
    })),
  });
}

/** @throws Error when it is no message of this program, or one of a version that it does not know */
export function readMessage(body: string): Job[] {
  try {
    return messageSchema.parse(JSON.parse(body)).jobs;
  } catch (cause) {
    throw new Error('not a message with units', { cause });
  }
}

/**
 * Does the jobs of a message. When it returns, the message is to be deleted; when it throws, left to the queue, whose redrive
 * policy counts how often it has come. Only a message with a single job is left for what went wrong with a job, so that nothing
 * is done twice, or becomes a dead letter, for what went wrong with its neighbours.
 *
 * @param handle - does a job. All are begun at once: it sees to it that not too many are under way
 * @param sendAlone - sends jobs that failed again, each in a message of its own
 * @param receipts - how often the message has been received, this time included
 * @throws the fault of the single job, or of `sendAlone`, or an Error: the message is malformed
 */
export async function handleMessage(
  body: string,
  handle: (job: Job) => Promise<void>,
  sendAlone: (failures: readonly JobFailure[]) => Promise<void>,
  receipts = 1,
): Promise<void> {
  const jobs = readMessage(body);
  const [only] = jobs;
  if (only && jobs.length === 1) return await handle(only);
  if (receipts >= SUSPECT_RECEIPTS) {
    const fault = new Error(
      `${jobs.length} units came ${receipts} times without being finished: each goes alone`,
    );
    return await sendAlone(jobs.map((job) => ({ job, fault })));
  }
  const outcomes = await Promise.allSettled(jobs.map(async (job) => await handle(job)));
  const failures = jobs.flatMap((job, index): JobFailure[] => {
    const outcome = outcomes[index];
    return outcome?.status === 'rejected' ? [{ job, fault: outcome.reason }] : [];
  });
  if (failures.length > 0) await sendAlone(failures);
}
