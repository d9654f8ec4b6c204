import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SUBMISSION_PREFIX } from '../protocol/keys.ts';
import { type Job, jobSchema, type UnitQueue } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import { clientOf } from './client-of.ts';
import type { Packs } from './packs.ts';

/**
 * Notes of submissions in the store. A unit is submitted in two steps: its manifest is stored, then its job is put on the queue. Whoever
 * dies in between would leave units that are pending for ever, so what is about to be submitted is noted first.
 */
export interface Submissions {
  /**
   * Notes units whose manifests are about to be stored. Returns a function that removes the note, which is to be called once all jobs are on
   * the queue. It never throws: a note that is left only sends jobs again, which do nothing where nothing is missing.
   *
   * @throws the error of the store; then nothing may be submitted
   */
  begin(submission: Submission): Promise<() => Promise<void>>;
  /**
   * Puts the jobs of submissions that were cut off on the queue. Of a unit whose manifest was not stored, the job does nothing.
   *
   * The first call of a process takes up all submissions, later ones those that have been cut off for sure.
   */
  takeUp(queue: Pick<UnitQueue, 'send'>): Promise<void>;
}

/** What is about to be submitted: units each by itself, or packs of them. */
export type Submission = { jobs: readonly Job[] } | { packs: readonly string[]; retry: boolean };

/** Longer than storing the manifests of a batch, and queueing its jobs, takes: what is older was cut off. */
const CUT_OFF_MS = 10 * 60 * 1000;
/** When the submission began, in Unix milliseconds, and a random part. */
const NOTE_NAME = /^(\d{13})-[0-9a-f]{12}\.json$/;

const noteSchema = z.object({
  jobs: z.array(jobSchema).readonly().default([]),
  packs: z.array(z.string()).readonly().default([]),
  retry: z.boolean().default(false),
});

/** @param nowMs - returns the time, in Unix milliseconds */
export function createSubmissions(
  store: VariantStore,
  packs: Pick<Packs, 'readAll'>,
  nowMs: () => number,
): Submissions {
  let isFirst = true;

  async function takeUpNote(key: string, isOld: boolean, queue: Pick<UnitQueue, 'send'>): Promise<void> {
    const note = parseNote((await store.get(key))?.body);
    if (note.jobs.length > 0) await queue.send(note.jobs);
    for (const pack of note.packs) await queue.send(await jobsOf(pack, note.retry));
    // One that is not old may not be cut off, but be cut off later.
    if (isOld) await store.delete([key]);
  }

  /** None of a pack that was not stored. */
  async function jobsOf(pack: string, retry: boolean): Promise<Job[]> {
    const packed = await packs.readAll(pack);
    return packed.map(({ manifest }) => ({
      ...{ unit: manifest.id, images: manifest.images.length, retry },
      ...{ pack, client: clientOf(manifest) },
    }));
  }

  return {
    async begin(submission) {
      const key = `${SUBMISSION_PREFIX}/${noteName(nowMs())}`;
      const body = new TextEncoder().encode(JSON.stringify(submission));
      await store.put(key, body, { contentType: 'application/json' });
      return () => store.delete([key]).catch(() => undefined);
    },
    async takeUp(queue) {
      const takesAll = isFirst;
      for await (const { key } of store.list(SUBMISSION_PREFIX)) {
        const beganMs = NOTE_NAME.exec(key.slice(SUBMISSION_PREFIX.length + 1))?.[1];
        if (beganMs === undefined) continue;
        // Either way: a clock may have been put back.
        const isOld = Math.abs(nowMs() - Number(beganMs)) > CUT_OFF_MS;
        if (isOld || takesAll) await takeUpNote(key, isOld, queue);
      }
      isFirst = false;
    },
  };
}

function noteName(beganMs: number): string {
  return `${String(Math.round(beganMs)).padStart(13, '0')}-${randomBytes(6).toString('hex')}.json`;
}

/** Returns a note of nothing if the note is gone or damaged. */
function parseNote(body: Uint8Array | undefined): z.infer<typeof noteSchema> {
  try {
    return noteSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return { jobs: [], packs: [], retry: false };
  }
}
