import { LAST_ATTEMPT_PREFIX } from '../protocol/keys.ts';
import { type Job, jobSchema } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import type { CurrentManifest } from './current-manifest.ts';
import { UnreadableManifest } from './manifest.ts';
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
   * Gives up the jobs whose last attempt was cut off, unless the work on their unit has ended by now.
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

/** Longer than a job takes: a Lambda lives for fifteen minutes. */
const CUT_OFF_MS = 60 * 60 * 1000;

export function createLastAttempts({ store, manifests, states, nowMs }: LastAttemptsServices): LastAttempts {
  /** Returns whether there is nothing to tell: the work on the unit has ended in another way. */
  async function hasEnded({ unit }: Job): Promise<boolean> {
    try {
      const manifest = await manifests.read(unit);
      return manifest === undefined || (await states.hasResult(manifest));
    } catch (error) {
      if (error instanceof UnreadableManifest) return false;
      throw error;
    }
  }

  return {
    async begin(job) {
      const { unit, from = 0, upgrade, invalidate } = job;
      // Nobody is told of these.
      if (upgrade || invalidate) return async () => {};
      const key = `${LAST_ATTEMPT_PREFIX}/${unit}/${from}.json`;
      await store.put(key, new TextEncoder().encode(JSON.stringify(job)), {
        contentType: 'application/json',
      });
      return () => store.delete([key]).catch(() => undefined);
    },
    async takeUp(giveUp) {
      for await (const { key, modifiedMs } of store.list(LAST_ATTEMPT_PREFIX)) {
        if (nowMs() - modifiedMs <= CUT_OFF_MS) continue;
        const object = await store.get(key);
        const job = parseJob(object?.body);
        if (job && !(await hasEnded(job))) {
          await giveUp(
            job,
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
function parseJob(body: Uint8Array | undefined): Job | undefined {
  try {
    return jobSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}
