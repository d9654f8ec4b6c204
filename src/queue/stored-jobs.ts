import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { DEAD_LETTER_PREFIX, QUEUE_PREFIX } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import type { ListedJob } from './job-prefetch.ts';
import { jobSchema } from './queue.ts';

/** When the job is due, in Unix milliseconds; its number within the process that stored it; and a random part, unique to the job. */
const JOB_NAME = /^(\d{13})-\d{9,}-[0-9a-f]{12}\.json$/;
const JSON_OBJECT = { contentType: 'application/json' };

const storedJobSchema = jobSchema.extend({
  /** How often it has failed. */
  attempts: z.int().min(0),
});

export type StoredJob = z.infer<typeof storedJobSchema>;

/** What the store has at the key of a job. */
export type ReadJob =
  | { state: 'waiting'; job: StoredJob }
  | { state: 'gone' }
  /** Not written by this program, or damaged. */
  | { state: 'damaged'; body: Uint8Array; error: unknown };

/**
 * Jobs in a store: one object each. The key says when the job is due, so that a listing gives jobs in the order in which they are to
 * be done. Dead letters have the same name under another prefix: a job that is moved back waits again.
 */
export interface StoredJobs {
  /** @param dueMs - the earliest time to start it, in Unix milliseconds */
  add(job: StoredJob, dueMs: number): Promise<void>;
  /** Lists the jobs in the order in which they are due. */
  list(): AsyncIterable<ListedJob>;
  read(key: string): Promise<ReadJob>;
  remove(key: string): Promise<void>;
  /** Stores this content as the dead letter of the job. Does not remove the job. */
  addDeadLetter(key: string, content: Uint8Array): Promise<void>;
  /**
   * Returns about how many jobs there are.
   *
   * @param options.fresh - whether to list them even if the last count, updated by the changes of this process, is known
   */
  count(options: { fresh: boolean }): Promise<number>;
}

export function createStoredJobs(store: VariantStore): StoredJobs {
  let added = 0;
  /** Jobs that this process has added, less those that it has removed. */
  let changes = 0;
  let lastCount: number | undefined;
  function addToCount(difference: number): void {
    changes += difference;
    if (lastCount !== undefined) lastCount += difference;
  }

  async function* list(): AsyncGenerator<ListedJob> {
    const changesBefore = changes;
    let listed = 0;
    for await (const { key } of store.list(QUEUE_PREFIX)) {
      const dueMs = JOB_NAME.exec(key.slice(QUEUE_PREFIX.length + 1))?.[1];
      // Ignores any other file that someone has put into the folder.
      if (dueMs === undefined) continue;
      listed += 1;
      yield { key, dueMs: Number(dueMs) };
    }
    // A complete listing also counts what other processes have added and removed.
    if (changes === changesBefore) lastCount = listed;
  }

  return {
    async add(job, dueMs) {
      added += 1;
      await store.put(`${QUEUE_PREFIX}/${jobName(dueMs, added)}`, encodeStoredJob(job), JSON_OBJECT);
      addToCount(1);
    },
    list,
    async read(key) {
      const object = await store.get(key);
      if (!object) return { state: 'gone' };
      try {
        const job = storedJobSchema.parse(JSON.parse(new TextDecoder().decode(object.body)));
        return { state: 'waiting', job };
      } catch (error) {
        return { state: 'damaged', body: object.body, error };
      }
    },
    async remove(key) {
      await store.delete([key]);
      addToCount(-1);
    },
    async addDeadLetter(key, content) {
      await store.put(`${DEAD_LETTER_PREFIX}${key.slice(QUEUE_PREFIX.length)}`, content, JSON_OBJECT);
    },
    async count({ fresh }) {
      if (lastCount === undefined || fresh) {
        const changesBefore = changes;
        let listed = 0;
        for await (const _ of list()) listed += 1;
        lastCount = listed + changes - changesBefore;
      }
      return Math.max(lastCount, 0);
    },
  };
}

/** Returns a name that matches `JOB_NAME`. */
function jobName(dueMs: number, number: number): string {
  const time = String(Math.round(dueMs)).padStart(13, '0');
  return `${time}-${String(number).padStart(9, '0')}-${randomBytes(6).toString('hex')}.json`;
}

/** Returns the bytes of a job in the store. A dead letter also has the `fault`: the error of its last attempt. */
export function encodeStoredJob(content: StoredJob & { fault?: string }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}
