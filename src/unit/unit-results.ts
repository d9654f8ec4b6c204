import type { Job } from '../queue/queue.ts';
import type { CurrentManifest } from './current-manifest.ts';
import type { KnownVariant } from './known-variants.ts';
import { type Manifest, UnreadableManifest } from './manifest.ts';
import type { PrewarmedUnit } from './prewarm.ts';
import type { PartResult, UnitParts } from './unit-parts.ts';
import type { UnitResult, UnitStates } from './unit-states.ts';
import { summarizeImages, type UnitSummary } from './unit-summary.ts';

/** A unit whose work has ended. */
export interface EndedUnit {
  manifest: Manifest;
  result: UnitResult;
  /** The variants of its ready images, as far as they are known. */
  variants: readonly KnownVariant[];
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
  /**
   * To be called when a job is given up. Returns `undefined` for a unit that was purged, a job that is not about a submission, and a submission
   * of which another job was given up before.
   */
  fail(job: Job): Promise<EndedUnit | undefined>;
  /** Records how the work on a unit has ended, unless it was sent again since: then that work counts. Throws the error of the store. */
  record(ended: EndedUnit): Promise<void>;
}

export interface UnitResultsServices {
  states: Pick<UnitStates, 'markResult' | 'isMarked' | 'endPending' | 'unmarkPending'>;
  manifests: Pick<CurrentManifest, 'read' | 'begin'>;
  parts: UnitParts;
}

const UNKNOWN_TIME = new Date(0).toISOString();

export function createUnitResults({ states, manifests, parts }: UnitResultsServices): UnitResults {
  /** Returns whether one of these results is recorded. Then it removes what the process may have left that recorded it. */
  async function isRecorded(manifest: Manifest, results: readonly UnitResult[]): Promise<boolean> {
    for (const result of results) {
      if (!(await states.isMarked(manifest, result))) continue;
      await states.endPending(manifest);
      return true;
    }
    return false;
  }

  /** Returns the unit if this is the last of its parts. */
  async function finishPart(
    manifest: Manifest,
    from: number,
    part: PartResult,
  ): Promise<FinishedUnit | undefined> {
    // Delivered again: the other parts are not there any more.
    if (await isRecorded(manifest, ['ready', 'broken'])) {
      await parts.remove(manifest);
      return undefined;
    }
    const whole = await parts.add(manifest, from, part);
    return whole && { manifest, result: resultOf(whole.summary), ...whole, hasParts: true };
  }

  async function readManifest(unit: string): Promise<Manifest | undefined> {
    try {
      return await manifests.read(unit);
    } catch (error) {
      if (!(error instanceof UnreadableManifest)) throw error;
      // That may be why the unit is given up. Nothing is known then of when it was sent.
      await states.unmarkPending(unit);
      return { id: unit, receivedAt: UNKNOWN_TIME, images: [], widths: [], tiers: [], formats: [] };
    }
  }

  /** Returns whether the unit was sent again, and the work on that has begun. */
  async function isSuperseded({ id, receivedAt }: Manifest): Promise<boolean> {
    try {
      const current = await manifests.begin(id, undefined);
      return current !== undefined && current.receivedAt !== receivedAt;
    } catch (error) {
      if (error instanceof UnreadableManifest) return false;
      throw error;
    }
  }

  return {
    async finish({ unit, from }, prewarmed) {
      if (!prewarmed) {
        await states.unmarkPending(unit);
        return undefined;
      }
      const { manifest, outcomes, variants } = prewarmed;
      const summary = summarizeImages(outcomes);
      if (from !== undefined) return await finishPart(manifest, from, { summary, variants });
      const result = resultOf(summary);
      if (await isRecorded(manifest, [result])) return undefined;
      return { manifest, result, summary, variants, hasParts: false };
    },
    async fail({ unit, upgrade, invalidate }) {
      if (upgrade || invalidate) return undefined;
      const manifest = await readManifest(unit);
      if (!manifest || (await isRecorded(manifest, ['failed']))) return undefined;
      return { manifest, result: 'failed', variants: [], hasParts: false };
    },
    async record({ manifest, result, variants, hasParts }) {
      // Only the newest submission is given up.
      const counts = result === 'failed' || !(await isSuperseded(manifest));
      if (counts) await states.markResult(manifest, result, variants);
      if (hasParts) await parts.remove(manifest);
    },
  };
}

function resultOf({ broken }: UnitSummary): UnitResult {
  return broken > 0 ? 'broken' : 'ready';
}
