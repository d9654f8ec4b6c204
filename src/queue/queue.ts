import { z } from 'zod';
import { FORMATS, type Format, isUnit, TIERS, type Tier } from '../protocol/request.ts';

/** What a client may be called: a part of what SQS allows as a `MessageGroupId` (1 to 128 letters, digits and punctuation). */
export const CLIENT = /^[A-Za-z0-9._~:[\]-]{1,128}$/;

/** Work on one unit. The manifest of the unit is in the store, alone or in a pack; a job only names them. */
export interface Job {
  unit: string;
  /** How many images it is about, so that jobs can be packed into messages of about equal work: all of the unit, or those from `from` on. */
  images: number;
  /** The index of the first image that it is about, if not about all of the unit: see `splitJob`. */
  from?: number | undefined;
  /** Whether to try sources again that are recorded as broken. */
  retry: boolean;
  /**
   * Set when the unit is not to be prewarmed but invalidated at the CDN. Sent by a process that found objects of the unit in the
   * store after its purge and cannot wait for the CDN itself.
   */
  invalidate?: true | undefined;
  /** Set when only this variant, which was made at effort `fast` for a viewer, is to be made again at effort `best`. */
  upgrade?: VariantUpgrade | undefined;
  /** The key of the pack that has the manifest, if it is in one. */
  pack?: string | undefined;
  /** Whose unit it is, see `clientOf`: a queue that is fair delivers the few jobs of one client before the many of another. */
  client?: string | undefined;
  /** The trace in which it was asked for, as in the header of this name (W3C Trace Context). */
  traceparent?: string | undefined;
}

/** An object in S3 with units. */
export interface ObjectName {
  bucket: string;
  key: string;
}

/** An object in S3 whose units are to be put on the queue. */
export interface ObjectToIngest extends ObjectName {
  /** What has been put there already, before the time was over. */
  progress?: IngestProgress | undefined;
}

export interface IngestProgress {
  /** The version of the object. Another one is ingested from its begin. */
  etag: string;
  /** How many of its units and refused lines are done. */
  entries: number;
}

/** The variant to make again, of an image of the job's unit. */
export interface VariantUpgrade {
  src: string;
  /** A rung of the ladder, in pixels. */
  width: number;
  tier: Tier;
  format: Format;
}

/**
 * The port for the queue of work on units. A job is delivered at least once, in roughly the order in which jobs were sent. Jobs are
 * idempotent.
 */
export interface UnitQueue {
  /**
   * Puts any number of jobs on the queue. When it resolves, they survive the end of this process; when it rejects, some of them may
   * be on the queue.
   *
   * @throws TypeError when a job is invalid; then none was sent
   */
  send(jobs: readonly Job[]): Promise<void>;
  /**
   * Processes jobs until the signal aborts, and resolves when the jobs in flight are done. It never rejects: errors go to `onError`
   * and the call that failed is retried.
   *
   * @param handle - does a job. When it throws, the job is delivered again later, alone, and after a few failures becomes a dead
   *   letter. Jobs that were packed into the same message are not affected.
   */
  consume(handle: (job: Job) => Promise<void>, options: ConsumeOptions): Promise<void>;
  /** Says that another process has put jobs on the queue. Absent where consumers learn of them anyway. */
  wake?(): void;
  /** About how many jobs (or messages, each with several jobs) wait or are in flight. */
  depth(): Promise<number>;
}

export interface ConsumeOptions {
  /** The most jobs in flight. */
  concurrency: number;
  /** Once it aborts, no more jobs are started. */
  signal: AbortSignal;
  /** Called with each error that consuming survives: of a job that will be delivered again, or of a queue that cannot be reached. */
  onError: (error: unknown, job?: Job) => void;
  /**
   * Awaited before a job becomes a dead letter, with the error of its last attempt. It is called again until it succeeds. A job in SQS whose
   * last attempt ended with its process becomes a dead letter without it.
   */
  onGiveUp?: ((job: Job, error: unknown) => Promise<void>) | undefined;
  /**
   * Awaited before the last attempt of a job in SQS. When it throws, the attempt does not begin, and the job is sent anew. What it returns is
   * awaited when the job is done, given up or sent anew.
   */
  onLastAttempt?: ((job: Job) => Promise<() => Promise<void>>) | undefined;
  /**
   * Puts the units of an object on the queue that an event of S3 in the queue names. When it throws, the event is delivered again later, and
   * after a few failures becomes a dead letter. When it resolves to progress, since the signal has stopped it, a new message takes the place of
   * the event. Without it, such events are no messages of this program.
   */
  ingestObject?: ((object: ObjectToIngest) => Promise<IngestProgress | undefined>) | undefined;
}

/** A job as it is written in a message or in the store. Other properties are ignored. */
export const jobSchema = z.object({
  unit: z.string().refine(isUnit, 'is not a unit id'),
  images: z.int().min(0),
  from: z.int().min(0).optional(),
  retry: z.boolean(),
  invalidate: z.literal(true).optional(),
  upgrade: z
    .object({ src: z.string(), width: z.int().min(1), tier: z.enum(TIERS), format: z.enum(FORMATS) })
    .optional(),
  pack: z.string().optional(),
  client: z.string().regex(CLIENT).optional(),
  traceparent: z.string().optional(),
}) satisfies z.ZodType<Job>;

/**
 * Asserts that jobs can be read again once they are written. An invalid job would make the whole message that it is packed into
 * unreadable.
 *
 * @throws TypeError naming the job. Jobs are made by this program, so an invalid one is a bug
 */
export function assertJobs(jobs: readonly Job[]): void {
  const invalid = jobs.find((job) => !jobSchema.safeParse(job).success);
  if (invalid) throw new TypeError(`not a job: ${JSON.stringify(invalid)}`);
}
