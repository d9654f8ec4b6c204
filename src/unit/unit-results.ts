import type { Job } from '../queue/queue.ts';
import type { CurrentManifest } from './current-manifest.ts';
import type { PrewarmedUnit } from './prewarm.ts';
import type { UnitStates } from './unit-states.ts';
import { summarizeImages, type UnitSummary } from './unit-summary.ts';

/** A unit whose work has ended. */
export interface FinishedUnit {
  unit: string;
  /** When it was sent, ISO 8601. */
  submittedAt: string;
  summary: UnitSummary;
}

/** What becomes of units once their jobs are done or given up. */
export interface UnitResults {
  /**
   * Records that a job is done.
   *
   * @returns the unit whose last image became ready or broken with it
   * @throws the error of the store: the job has to be done again
   */
  finish(job: Job, prewarmed: PrewarmedUnit): Promise<FinishedUnit | undefined>;
  /**
   * Records that a job is given up.
   *
   * @returns when the unit was sent, ISO 8601; `undefined` for a unit that was purged, or is none
   */
  fail(job: Job): Promise<string | undefined>;
}

export interface UnitResultsServices {
  states: Pick<UnitStates, 'markResult'>;
  manifests: Pick<CurrentManifest, 'read'>;
}

export function createUnitResults({ states, manifests }: UnitResultsServices): UnitResults {
  return {
    async finish(_job, { manifest, outcomes }) {
      const summary = summarizeImages(outcomes);
      await states.markResult(manifest, summary.broken > 0 ? 'broken' : 'ready');
      return { unit: manifest.id, submittedAt: manifest.receivedAt, summary };
    },
    async fail({ unit, upgrade, invalidate }) {
      if (upgrade || invalidate) return undefined;
      const manifest = await manifests.read(unit);
      if (!manifest) return undefined;
      await states.markResult(manifest, 'failed');
      return manifest.receivedAt;
    },
  };
}
