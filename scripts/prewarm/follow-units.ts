import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { ImageOutcome } from '../../src/unit/outcome.ts';
import type { ImageProgress, UnitProgress } from '../../src/unit/progress.ts';
import type { Units } from '../../src/unit/units.ts';
import { forEachConcurrently } from '../cli/concurrency.ts';
import type { Recorder } from './recorder.ts';
import type { Totals } from './totals.ts';

/** A unit that was put on the queue. */
export interface FollowedUnit {
  id: string;
  images: number;
  /** With `--retry`: the next attempt (ISO 8601) of each source that was broken when the unit was put on the queue. */
  brokenBefore?: Record<string, string>;
}

export interface FollowOptions {
  units: Pick<Units, 'progress'>;
  recorder: Recorder;
  totals: Totals;
  /** When the first of the units was put on the queue, in Unix milliseconds. */
  submittedAtMs: number;
  /** Called when a unit is done. */
  onDone: () => void;
  /** Gives up after this time without any new outcome. */
  patienceMs: number;
  /** Once it aborts, images without an outcome are counted as pending. */
  signal: AbortSignal;
}

/** Jobs are done in about the order in which they were sent, so few units beyond these are done before them. */
const MAX_UNITS_FOLLOWED = 256;
const MAX_CONCURRENT_LOOKUPS = 32;
const MIN_POLL_MS = 500;
const MAX_POLL_MS = 10_000;
const POLL_GROWTH = 1.5;
const NOT_IN_TIME = 'it was neither made nor broken by then';

/**
 * Polls the progress of units that workers prewarm, and records the outcome of each image once.
 *
 * @returns `out of patience` when there was no new outcome for `patienceMs`
 */
export async function followUnits(
  followed: AsyncIterable<FollowedUnit>,
  { units, recorder, totals, submittedAtMs, onDone, patienceMs, signal }: FollowOptions,
): Promise<'finished' | 'out of patience'> {
  const impatience = new AbortController();
  const giveUp = () => impatience.abort();
  let timer = setTimeout(giveUp, patienceMs);
  const stop = AbortSignal.any([signal, impatience.signal]);
  // Each unit that waits for its next look adds one.
  setMaxListeners(MAX_UNITS_FOLLOWED, stop);
  const lookups = new PQueue({ concurrency: MAX_CONCURRENT_LOOKUPS });

  async function follow(unit: FollowedUnit): Promise<void> {
    const recorded = new Set<number>();
    let last: UnitProgress | undefined;
    for (let pollMs = MIN_POLL_MS; !stop.aborted; pollMs = Math.min(pollMs * POLL_GROWTH, MAX_POLL_MS)) {
      // An error of the store is either transient, or there is no new outcome until patience ends.
      const progress = await lookups.add(() => units.progress(unit.id)).catch(() => 'unknown' as const);
      if (progress === undefined) return totals.endUnit(true);
      if (progress !== 'unknown') {
        last = progress;
        if (recordNew(unit, progress, recorded)) return totals.endUnit(false);
      }
      await sleep(pollMs, undefined, { signal: stop }).catch(() => {});
    }
    recordPending(unit, last, recorded);
  }

  /** Records the images that have no outcome. Nothing but their number is known of a unit that could not be looked up. */
  function recordPending(
    { id, images }: FollowedUnit,
    last: UnitProgress | undefined,
    recorded: ReadonlySet<number>,
  ) {
    if (!last) return totals.addUnknown(images);
    for (const [index, { src, name }] of last.images.entries()) {
      const image = { unit: id, src, ...(name !== undefined && { name }) };
      if (!recorded.has(index)) recorder.addOutcome({ ...image, state: 'pending', detail: NOT_IN_TIME });
    }
  }

  /** Records outcomes that are new. Returns whether every image has one now. */
  function recordNew(unit: FollowedUnit, progress: UnitProgress, recorded: Set<number>): boolean {
    for (const [index, image] of progress.images.entries()) {
      const outcome = outcomeOf(image, unit, submittedAtMs);
      if (!outcome || recorded.has(index)) continue;
      recorded.add(index);
      recorder.addOutcome(outcome);
      clearTimeout(timer);
      timer = setTimeout(giveUp, patienceMs);
    }
    return recorded.size >= progress.images.length;
  }

  await forEachConcurrently(followed, MAX_UNITS_FOLLOWED, async (unit) => {
    await recorder.ready();
    await follow(unit);
    onDone();
  });
  clearTimeout(timer);
  return impatience.signal.aborted ? 'out of patience' : 'finished';
}

/** The outcome of an image, or `undefined` while it is not known. */
function outcomeOf(
  image: ImageProgress,
  unit: FollowedUnit,
  submittedAtMs: number,
): ImageOutcome | undefined {
  const { src, name } = image;
  const named = { unit: unit.id, src, ...(name !== undefined && { name }) };
  if (image.state === 'ready') {
    const { sourceBytes, skipped } = image;
    const variants = image.variants.map(({ url: _url, effort: _effort, ...made }) => made);
    return { ...named, state: 'ready', sourceBytes, variants, skipped };
  }
  if (image.state === 'pending') return undefined;
  const { code, detail, retryable, nextAttempt } = image;
  // A cached failure that the worker will try again is no outcome yet: one of before a `--retry`, or one that has expired.
  const before = unit.brokenBefore?.[src];
  const willBeRetried =
    before === undefined ? Date.parse(nextAttempt) < submittedAtMs : nextAttempt === before;
  return willBeRetried ? undefined : { ...named, state: 'broken', code, detail, retryable };
}
