import { z } from 'zod';
import { FORMATS, isUnit, TIERS } from '../variant/request.ts';
import type { Job } from './queue.ts';

/** A job as it is written down, in a message or in the store. What else stands there is ignored. */
export const jobSchema = z.object({
  unit: z.string().refine(isUnit, 'is no unit'),
  images: z.int().min(0),
  retry: z.boolean(),
  invalidate: z.literal(true).optional(),
  upgrade: z
    .object({ src: z.string(), width: z.int().min(1), tier: z.enum(TIERS), format: z.enum(FORMATS) })
    .optional(),
}) satisfies z.ZodType<Job>;

/**
 * Refuses what could be written down but not read again: it would take the jobs that are packed with it along.
 *
 * @throws TypeError naming the job: they are made by this program, so a bad one is a bug
 */
export function assertJobs(jobs: readonly Job[]): void {
  const bad = jobs.find((job) => !jobSchema.safeParse(job).success);
  if (bad) throw new TypeError(`not a job: ${JSON.stringify(bad)}`);
}
