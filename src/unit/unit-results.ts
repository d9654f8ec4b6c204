import type { Job } from '../queue/queue.ts';
import type { CurrentManifest } from './current-manifest.ts';
import { type Manifest, UnreadableManifest } from './manifest.ts';
import type { PrewarmedUnit } from './prewarm.ts';
import type { UnitParts } from './unit-parts.ts';
import type { UnitResult, UnitStates } from './unit-states.ts';
import { summarizeImages, type UnitSummary } from './unit-summary.ts';

/** A unit whose work has ended. */
export interface EndedUnit {
  manifest: Manifest;
  result: UnitResult;
  /** Whether its images were divided between jobs. */
  hasParts: boolean;
}

/** A unit whose images are all ready or broken. */
export interface FinishedUnit extends EndedUnit {
  summary: UnitSummary;
}

/**
 * What becomes of units once their jobs are done or given up. What has ended is recorded when others have been told of it: after a crash in
 * between, they are told again.
 */
export interface UnitResults {
  /**
   * To be called when a job is done, also if there was no such unit.
   *
   * @returns the unit whose last image became ready or broken with it; `undefined` if others are missing, or that was recorded before
   * @throws the error of the store: the job has to be done again
   */
  finish(job: Job, prewarmed: PrewarmedUnit | undefined): Promise<FinishedUnit | undefined>;
  /** To be called when a job is given up. Returns `undefined` for a unit that was purged, and a job that is not about all of a unit. */
  fail(job: Job): Promise<EndedUnit | undefined>;
  /** Records how the work on a unit has ended. Throws the error of the store. */
  record(ended: EndedUnit): Promise<void>;
}

export interface UnitResultsServices {
  states: Pick<UnitStates, 'markResult' | 'hasResult' | 'unmarkPending'>;
  manifests: Pick<CurrentManifest, 'read'>;
  parts: UnitParts;
}

const UNKNOWN_TIME = new Date(0).toISOString();

export function createUnitResults({ states, manifests, parts }: UnitResultsServices): UnitResults {
  /** Returns the summary of the unit if this is the last of its parts. */
  async function completeParts(
    manifest: Manifest,
    from: number,
    part: UnitSummary,
  ): Promise<UnitSummary | undefined> {
    // Delivered again: the other parts are not there any more.
    const isOver =
      (await states.hasResult(manifest, 'ready')) || (await states.hasResult(manifest, 'broken'));
    return isOver ? undefined : await parts.add(manifest, from, part);
  }

  async function readManifest(unit: string): Promise<Manifest | undefined> {
    try {
      return await manifests.read(unit);
    } catch (error) {
      // That may be why the unit is given up. Nothing is known then of when it was sent.
      if (error instanceof UnreadableManifest)
        return { id: unit, receivedAt: UNKNOWN_TIME, images: [], widths: [], tiers: [], formats: [] };
      throw error;
    }
  }

  return {
    async finish({ unit, from }, prewarmed) {
      if (!prewarmed) {
        await states.unmarkPending(unit);
        return undefined;
      }
      const { manifest, outcomes } = prewarmed;
      const part = summarizeImages(outcomes);
      const summary = from === undefined ? part : await completeParts(manifest, from, part);
      if (!summary) return undefined;
      const result = summary.broken > 0 ? 'broken' : 'ready';
      if (await states.hasResult(manifest, result)) return undefined;
      return { manifest, result, summary, hasParts: from !== undefined };
    },
    async fail({ unit, upgrade, invalidate }) {
      if (upgrade || invalidate) return undefined;
      const manifest = await readManifest(unit);
      return manifest && { manifest, result: 'failed', hasParts: false };
    },
    async record({ manifest, result, hasParts }) {
      await states.markResult(manifest, result);
      if (hasParts) await parts.remove(manifest);
    },
  };
}
