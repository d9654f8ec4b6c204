import type { Job, UnitQueue } from './queue.ts';

/**
 * The most images in one job, unless it is older than this limit. A worker has to finish a job well within Lambda's 15 minutes, and a job
 * that does not end within a few deliveries becomes a dead letter: at 3 s an image, with two variants at effort `best`, 50 images take two
 * and a half minutes.
 */
export const MAX_JOB_IMAGES = 50;

/**
 * Splits a job into jobs for ranges of the images of its unit, in their order, so that a large unit is worked on by many workers and no
 * part of it is too long. Jobs that are not about all images of a unit stay as they are.
 */
export function splitJob(job: Job): Job[] {
  if (job.images <= MAX_JOB_IMAGES || job.from !== undefined || job.invalidate || job.upgrade) return [job];
  const parts = Math.ceil(job.images / MAX_JOB_IMAGES);
  return Array.from({ length: parts }, (_, part) => {
    const from = part * MAX_JOB_IMAGES;
    return { ...job, from, images: Math.min(MAX_JOB_IMAGES, job.images - from) };
  });
}

/** Returns the queue, which splits jobs before it sends them. */
export function splitLargeJobs(queue: UnitQueue): UnitQueue {
  return { ...queue, send: (jobs) => queue.send(jobs.flatMap(splitJob)) };
}
