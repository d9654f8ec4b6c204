import { z } from 'zod';
import { FORMATS, type Format, isUnit, TIERS, type Tier } from '../protocol/request.ts';

/** A unit to be worked on. Its manifest is in the store: a job says only which. */
export interface Job {
  unit: string;
  /** How many images it has, so that jobs can be packed into messages of about equal work. */
  images: number;
  /** Whether what is remembered as broken is to be tried again. */
  retry: boolean;
  /**
   * Set where the unit is not to be prewarmed: the CDN is to forget it. Whoever sends this found something of it in the store after
   * its purge, and has no way to the CDN.
   */
  invalidate?: true | undefined;
  /** Set where only this variant is to be made anew, as good as can be: it was made quickly, for a viewer. */
  upgrade?: VariantUpgrade | undefined;
}

/** A variant of an image of a unit. */
export interface VariantUpgrade {
  src: string;
  /** A rung of the ladder, in pixels. */
  width: number;
  tier: Tier;
  format: Format;
}

/**
 * Where units wait to be worked on. A job is delivered at least once, in about the order in which jobs were sent; doing it twice
 * changes nothing.
 */
export interface UnitQueue {
  /**
   * Puts jobs on the queue, however many. When it returns they outlive this process; when it throws, some may be on it.
   *
   * @throws TypeError when one could not be read again, before any is sent
   */
  send(jobs: readonly Job[]): Promise<void>;
  /**
   * Takes jobs up until it is told to stop, and ends when what it has in hand is done. It never throws: what goes wrong is
   * reported and tried again.
   *
   * @param handle - does a job. When it throws, the job comes again later, alone; after a few times it is laid aside as a dead
   *   letter. Jobs that were packed with it never suffer.
   */
  consume(handle: (job: Job) => Promise<void>, options: ConsumeOptions): Promise<void>;
  /** About how many jobs (or messages full of them) wait or are in hand. */
  depth(): Promise<number>;
}

export interface ConsumeOptions {
  /** How many jobs may be in hand at once. */
  concurrency: number;
  signal: AbortSignal;
  /** Is told of each failure that this process survives: a job that will come again, a queue that cannot be reached. */
  report: (fault: unknown, job?: Job) => void;
}

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
