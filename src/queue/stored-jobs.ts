import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { DEAD_LETTER_PREFIX, QUEUE_PREFIX } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import type { WaitingJob } from './job-prefetch.ts';
import { jobSchema } from './queue.ts';

/** When it is due, in Unix milliseconds; its number in the process that put it there; and what no other process makes. */
const NAME = /^(\d{13})-\d{9,}-[0-9a-f]{12}\.json$/;
const JSON_OBJECT = { contentType: 'application/json' };

const storedJobSchema = jobSchema.extend({
  /** How often it has failed. */
  attempts: z.int().min(0),
});

export type StoredJob = z.infer<typeof storedJobSchema>;

/** What is found at the key of a job. */
export type FoundJob =
  | { state: 'waiting'; job: StoredJob }
  | { state: 'gone' }
  /** Not what this program wrote. */
  | { state: 'damaged'; body: Uint8Array; fault: unknown };

/**
 * Jobs in a store: an object each, whose key says when the job is due, so that a listing gives them in the order in which they
 * are to be done. Dead letters lie beside them, under the same name: moved back, they wait again.
 */
export interface StoredJobs {
  /** @param dueMs - not to be done before: Unix milliseconds */
  add(job: StoredJob, dueMs: number): Promise<void>;
  /** The one that is due first first. */
  list(): AsyncIterable<WaitingJob>;
  read(key: string): Promise<FoundJob>;
  remove(key: string): Promise<void>;
  /** Puts what lay at this key with the dead letters. It still has to be removed. */
  moveToDeadLetters(key: string, content: Uint8Array): Promise<void>;
  /**
   * About how many there are.
   *
   * @param options.fresh - whether to list them, though a count was kept of what this process changed since it last did
   */
  count(options: { fresh: boolean }): Promise<number>;
}

export function createStoredJobs(store: VariantStore): StoredJobs {
  let added = 0;
  /** By how much this process has changed their number so far. */
  let changes = 0;
  let kept: number | undefined;
  function changed(by: number): void {
    changes += by;
    if (kept !== undefined) kept += by;
  }

  async function* list(): AsyncGenerator<WaitingJob> {
    const changesBefore = changes;
    let listed = 0;
    for await (const { key } of store.list(QUEUE_PREFIX)) {
      const dueMs = NAME.exec(key.slice(QUEUE_PREFIX.length + 1))?.[1];
      // Somebody's notes, perhaps.
      if (dueMs === undefined) continue;
      listed += 1;
      yield { key, dueMs: Number(dueMs) };
    }
    // Right again, whatever other processes have added and done.
    if (changes === changesBefore) kept = listed;
  }

  return {
    async add(job, dueMs) {
      added += 1;
      const time = String(Math.round(dueMs)).padStart(13, '0');
      const name = `${time}-${String(added).padStart(9, '0')}-${randomBytes(6).toString('hex')}.json`;
      await store.put(`${QUEUE_PREFIX}/${name}`, encode(job), JSON_OBJECT);
      changed(1);
    },
    list,
    async read(key) {
      const object = await store.get(key);
      if (!object) return { state: 'gone' };
      try {
        const job = storedJobSchema.parse(JSON.parse(new TextDecoder().decode(object.body)));
        return { state: 'waiting', job };
      } catch (fault) {
        return { state: 'damaged', body: object.body, fault };
      }
    },
    async remove(key) {
      await store.delete([key]);
      changed(-1);
    },
    async moveToDeadLetters(key, content) {
      await store.put(`${DEAD_LETTER_PREFIX}${key.slice(QUEUE_PREFIX.length)}`, content, JSON_OBJECT);
    },
    async count({ fresh }) {
      if (kept === undefined || fresh) {
        const changesBefore = changes;
        let listed = 0;
        for await (const _ of list()) listed += 1;
        kept = listed + changes - changesBefore;
      }
      return Math.max(kept, 0);
    },
  };
}

/** What is written down of a job. */
export function encode(content: StoredJob & { fault?: string }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}
