import { z } from 'zod';
import { type Job, jobSchema } from './queue.ts';

/**
 * The most images in one message, unless a single unit has more. SQS charges by the call, so that many units share a message. But a
 * worker has to finish its messages well within Lambda's 15 minutes: at 3 s an image, with two variants at effort `best`, 50 images
 * take two and a half minutes.
 */
export const MAX_MESSAGE_IMAGES = 50;
/**
 * The most units in one message, and so the most that are processed again when a worker dies. A unit's id has at most 128 characters,
 * so that ten messages have at most 50 KB: SQS takes 256 KiB (since 2025, 1 MiB).
 */
export const MAX_MESSAGE_JOBS = 25;

const messageSchema = z.object({ v: z.literal([1, 2]), jobs: z.array(jobSchema).min(1) });

/**
 * Packs jobs into messages of about equal work, the jobs of each client in their order: a message has jobs of one client. A unit with more
 * than `MAX_MESSAGE_IMAGES` images gets its own message.
 *
 * @returns the jobs of each message
 */
export function packJobs(jobs: readonly Job[]): Job[][] {
  const messages: Job[][] = [];
  const open = new Map<Job['client'], { packed: Job[]; images: number }>();
  for (const job of jobs) {
    const last = open.get(job.client);
    // A source may have 4,096 characters: with a few of them in each message, a batch would be too large for SQS.
    if (last && !job.upgrade && hasRoom(last, job)) {
      last.packed.push(job);
      last.images += job.images;
    } else {
      const packed = [job];
      messages.push(packed);
      open.set(job.client, { packed, images: job.images });
    }
  }
  return messages;
}

function hasRoom({ packed, images }: { packed: readonly Job[]; images: number }, job: Job): boolean {
  return packed.length < MAX_MESSAGE_JOBS && images + job.images <= MAX_MESSAGE_IMAGES;
}

/** Returns the body of one message with these jobs. */
export function encodeMessage(jobs: readonly Job[]): string {
  // What version 1 would not find, or do in whole for each part: a worker of before then leaves the message to others.
  const v = jobs.some(({ pack, from }) => pack !== undefined || from !== undefined) ? 2 : 1;
  return JSON.stringify({ v, jobs: jobs.map((job) => jobSchema.parse(job)) });
}

/**
 * Returns the jobs in the body of a message. Properties that this version does not know are ignored.
 *
 * @throws Error when the body is not a message of this program, or of an unknown version
 */
export function decodeMessage(body: string): Job[] {
  try {
    return messageSchema.parse(JSON.parse(body)).jobs;
  } catch (cause) {
    throw new Error('not a message with units', { cause });
  }
}
