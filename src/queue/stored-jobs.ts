import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { DEAD_LETTER_PREFIX, QUEUE_PREFIX } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import type { ListedJob } from './job-prefetch.ts';
import { jobSchema } from './queue.ts';

/**
 * When the jobs are due, in Unix milliseconds; the number of the object within the process that stored it; a random part, unique to the
 * object; and how many jobs it has, if there are several.
 */
const NAME = /^(\d{13})-\d{9,}-[0-9a-f]{12}(?:-([1-9]\d{0,3}))?\.json$/;
/** The most jobs in one object, and so the most that are looked at again when a process dies. */
const MAX_JOBS = 100;
/** The most images of the jobs in one object, unless a single one has more. */
const MAX_IMAGES = 500;
/** Fewer are stored each in an object of its own. */
const MIN_JOBS = 20;
const JSON_OBJECT = { contentType: 'application/json' };

const storedJobSchema = jobSchema.extend({
  /** How often it has failed. */
  attempts: z.int().min(0),
});

const storedJobsSchema = z.object({ jobs: z.array(storedJobSchema).min(1) });

export type StoredJob = z.infer<typeof storedJobSchema>;

/** What the store has at the key of jobs. */
export type ReadJobs =
  | { state: 'waiting'; jobs: readonly StoredJob[] }
  | { state: 'gone' }
  /** Not written by this program, or damaged. */
  | { state: 'damaged'; body: Uint8Array; error: unknown };

/**
 * Jobs in a store: one object each, or a hundred in one object where many are sent together, since a put takes as long either way. The key
 * says when they are due, so that a listing gives them in the order in which they are to be done. Dead letters have the same name under
 * another prefix: a job that is moved back waits again.
 */
export interface StoredJobs {
  /**
   * Stores jobs in one object.
   *
   * @param dueMs - the earliest time to start them, in Unix milliseconds
   */
  add(jobs: readonly StoredJob[], dueMs: number): Promise<void>;
  /** Lists the objects in the order in which their jobs are due. */
  list(): AsyncIterable<ListedJob>;
  read(key: string): Promise<ReadJobs>;
  remove(key: string): Promise<void>;
  /**
   * Stores one of the jobs of an object as a dead letter. Does not remove the object.
   *
   * @param job.fault - the error of its last attempt
   */
  addDeadLetter(key: string, job: StoredJob & { fault: string }): Promise<void>;
  /** Stores what is not a job, the content of a damaged object, as a dead letter. Does not remove the object. */
  addDamaged(key: string, body: Uint8Array): Promise<void>;
  /**
   * Returns about how many jobs there are.
   *
   * @param options.fresh - whether to list them even if the last count, updated by the changes of this process, is known
   */
  count(options: { fresh: boolean }): Promise<number>;
}

export function createStoredJobs(store: VariantStore): StoredJobs {
  let named = 0;
  /** Jobs that this process has added, less those that it has removed. */
  let changes = 0;
  let lastCount: number | undefined;
  function addToCount(difference: number): void {
    changes += difference;
    if (lastCount !== undefined) lastCount += difference;
  }

  /** Returns the key of a new object with so many jobs. */
  function newKey(dueMs: number, jobs: number): string {
    named += 1;
    return `${QUEUE_PREFIX}/${nameOf(dueMs, named, jobs)}`;
  }

  async function* list(): AsyncGenerator<ListedJob> {
    const changesBefore = changes;
    let listed = 0;
    for await (const { key } of store.list(QUEUE_PREFIX)) {
      const name = parseName(key);
      // Ignores any other file that someone has put into the folder.
      if (name === undefined) continue;
      listed += name.jobs;
      yield { key, dueMs: name.dueMs };
    }
    // A complete listing also counts what other processes have added and removed.
    if (changes === changesBefore) lastCount = listed;
  }

  return {
    async add(jobs, dueMs) {
      const [first] = jobs;
      if (first === undefined) return;
      const key = newKey(dueMs, jobs.length);
      await store.put(key, encode(jobs.length === 1 ? first : { jobs }), JSON_OBJECT);
      addToCount(jobs.length);
    },
    list,
    async read(key) {
      const object = await store.get(key);
      if (!object) return { state: 'gone' };
      try {
        const content: unknown = JSON.parse(new TextDecoder().decode(object.body));
        const isOne = (parseName(key)?.jobs ?? 1) === 1;
        const jobs = isOne ? [storedJobSchema.parse(content)] : storedJobsSchema.parse(content).jobs;
        return { state: 'waiting', jobs };
      } catch (error) {
        return { state: 'damaged', body: object.body, error };
      }
    },
    async remove(key) {
      await store.delete([key]);
      addToCount(-(parseName(key)?.jobs ?? 0));
    },
    async addDeadLetter(key, job) {
      const { dueMs = 0, jobs = 1 } = parseName(key) ?? {};
      // The name of an object says how many jobs it has.
      const letterKey = jobs === 1 ? key : newKey(dueMs, 1);
      await store.put(deadLetterKey(letterKey), encode(job), JSON_OBJECT);
    },
    async addDamaged(key, body) {
      await store.put(deadLetterKey(key), body, JSON_OBJECT);
    },
    async count({ fresh }) {
      if (lastCount === undefined || fresh) {
        const changesBefore = changes;
        let listed = 0;
        for await (const { key } of list()) listed += parseName(key)?.jobs ?? 0;
        lastCount = listed + changes - changesBefore;
      }
      return Math.max(lastCount, 0);
    },
  };
}

/** Divides jobs, in their order, into those that are stored in one object. */
export function divideIntoObjects<T extends Pick<StoredJob, 'images'>>(jobs: readonly T[]): T[][] {
  if (jobs.length < MIN_JOBS) return jobs.map((job) => [job]);
  const objects: T[][] = [];
  let images = 0;
  for (const job of jobs) {
    const last = objects.at(-1);
    if (!last || last.length === MAX_JOBS || images + job.images > MAX_IMAGES) {
      objects.push([job]);
      images = job.images;
    } else {
      last.push(job);
      images += job.images;
    }
  }
  return objects;
}

/** Returns when the jobs at a key are due, and how many they are; `undefined` for a key of anything else. */
export function parseName(key: string): { dueMs: number; jobs: number } | undefined {
  const [, dueMs, jobs] = NAME.exec(key.slice(QUEUE_PREFIX.length + 1)) ?? [];
  return dueMs === undefined ? undefined : { dueMs: Number(dueMs), jobs: Number(jobs ?? 1) };
}

function nameOf(dueMs: number, number: number, jobs: number): string {
  const time = String(Math.round(dueMs)).padStart(13, '0');
  const count = jobs === 1 ? '' : `-${jobs}`;
  return `${time}-${String(number).padStart(9, '0')}-${randomBytes(6).toString('hex')}${count}.json`;
}

function deadLetterKey(key: string): string {
  return `${DEAD_LETTER_PREFIX}${key.slice(QUEUE_PREFIX.length)}`;
}

function encode(content: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}
