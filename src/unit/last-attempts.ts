import { z } from 'zod';
import { LAST_ATTEMPT_PREFIX } from '../protocol/keys.ts';
import { type Job, jobSchema } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import type { CurrentManifest } from './current-manifest.ts';
import { type Manifest, startOfManifest, UnreadableManifest } from './manifest.ts';
import type { UnitStates } from './unit-states.ts';

/**
 * Notes in the store of jobs that are tried for the last time, with SQS. If their process is killed then, SQS makes the message a dead letter
 * and tells nobody: the note is what is left.
 */
export interface LastAttempts {
  /**
   * Notes that the last attempt of a job begins. Returns a function that removes the note, which is to be called once the job is done, given
   * up or sent anew. It never throws: a note that is left is removed later.
   *
   * @throws the error of the store; then the attempt may not begin
   */
  begin(job: Job): Promise<() => Promise<void>>;
  /**
   * Gives up the jobs whose last attempt was cut off, unless the work on their unit has ended by now, or the unit was sent again.
   *
   * @throws the error of the store, or of `giveUp`: the notes that are left are for the next call
   */
  takeUp(giveUp: (job: Job, error: unknown) => Promise<void>): Promise<void>;
}

export interface LastAttemptsServices {
  store: VariantStore;
  manifests: Pick<CurrentManifest, 'read'>;
  states: Pick<UnitStates, 'hasResult'>;
  nowMs: () => number;
}

const noteSchema = jobSchema.extend({
  /** When the unit was sent, in Unix milliseconds. Earlier versions did not say it. */
  submittedAtMs: z.number().optional(),
});

/** Longer than a job takes: a Lambda lives for fifteen minutes. */
const CUT_OFF_MS = 60 * 60 * 1000;

export function createLastAttempts({ store, manifests, states, nowMs }: LastAttemptsServices): LastAttempts {
  async function readManifest(unit: string): Promise<Manifest | 'unreadable' | undefined> {
    try {
      return await manifests.read(unit);
    } catch (error) {
      if (error instanceof UnreadableManifest) return 'unreadable';
      throw error;
    }
  }

  /** Returns whether there is nothing to tell: the work has ended in another way, or another job is about what was sent since. */
  async function hasEnded({ unit, submittedAtMs }: z.infer<typeof noteSchema>): Promise<boolean> {
    const manifest = await readManifest(unit);
    if (manifest === undefined) return true;
    if (manifest === 'unreadable') return false;
    const isSentAgain = submittedAtMs !== undefined && startOfManifest(manifest).atMs !== submittedAtMs;
    return isSentAgain || (await states.hasResult(manifest));
  }

  return {
    async begin(job) {
      const { unit, from = 0, upgrade, invalidate } = job;
      // Nobody is told of these.
      if (upgrade || invalidate) return async () => {};
      const key = `${LAST_ATTEMPT_PREFIX}/${unit}/${from}.json`;
      const manifest = await readManifest(unit);
      const isKnown = manifest !== undefined && manifest !== 'unreadable';
      const note = { ...job, ...(isKnown && { submittedAtMs: startOfManifest(manifest).atMs }) };
      await store.put(key, new TextEncoder().encode(JSON.stringify(note)), {
        contentType: 'application/json',
      });
      return () => store.delete([key]).catch(() => undefined);
    },
    async takeUp(giveUp) {
      for await (const { key, modifiedMs } of store.list(LAST_ATTEMPT_PREFIX)) {
        if (nowMs() - modifiedMs <= CUT_OFF_MS) continue;
        const object = await store.get(key);
        const note = parseNote(object?.body);
        if (note && !(await hasEnded(note))) {
          await giveUp(
            note,
            new Error('its last attempt did not end: the process that worked on it was killed'),
          );
        }
        // Not one that was noted again meanwhile.
        await store.deleteIfMatch(key, object?.etag);
      }
    },
  };
}

/** Returns `undefined` if the note is gone or damaged. */
function parseNote(body: Uint8Array | undefined): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}
