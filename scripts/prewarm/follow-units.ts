import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { ImageOutcome } from '../../src/unit/outcome.ts';
import type { ImageStatus, UnitStatus } from '../../src/unit/status.ts';
import type { Units } from '../../src/unit/units.ts';
import { eachAtOnce } from '../command/at-once.ts';
import type { Account } from './account.ts';
import type { Tally } from './tally.ts';

/** A unit that is on the queue. */
export interface FollowedUnit {
  id: string;
  images: number;
  /** What was known to be broken and is tried again: source → when it was to be tried next. */
  brokenBefore?: Record<string, string>;
}

export interface FollowOptions {
  units: Pick<Units, 'status'>;
  account: Account;
  tally: Tally;
  /** When the first of them was put on the queue: Unix milliseconds. */
  sinceMs: number;
  /** Is told of each unit that is over and done with. */
  done: () => void;
  /** How long nothing may change. */
  patienceMs: number;
  /** Once it is aborted, what is not known yet stays pending. */
  signal: AbortSignal;
}

/** Jobs are done in about the order in which they were sent, so that few beyond these are finished before them. */
const UNITS_AT_ONCE = 256;
const LOOKUPS_AT_ONCE = 32;
const FIRST_DELAY_MS = 500;
const MOST_DELAY_MS = 10_000;

/**
 * Follows units to their end, as others prewarm them.
 *
 * @returns whether nothing has changed for too long
 */
export async function followUnits(
  followed: AsyncIterable<FollowedUnit>,
  { units, account, tally, sinceMs, done, patienceMs, signal }: FollowOptions,
): Promise<'finished' | 'out of patience'> {
  const impatience = new AbortController();
  const giveUp = () => impatience.abort();
  let timer = setTimeout(giveUp, patienceMs);
  const ending = AbortSignal.any([signal, impatience.signal]);
  const lookups = new PQueue({ concurrency: LOOKUPS_AT_ONCE });

  async function follow(unit: FollowedUnit): Promise<void> {
    const told = new Set<number>();
    for (let delayMs = FIRST_DELAY_MS; !ending.aborted; delayMs = Math.min(delayMs * 1.5, MOST_DELAY_MS)) {
      // A fault of the store passes, or nothing changes.
      const status = await lookups.add(() => units.status(unit.id)).catch(() => 'unknown' as const);
      if (status === undefined) return tally.endUnit(true);
      if (status !== 'unknown' && tellFinished(unit, status, told)) return tally.endUnit(false);
      await delay(delayMs, undefined, { signal: ending }).catch(() => {});
    }
    tally.addUnknown(unit.images - told.size);
  }

  /** Returns whether that was the last of it. */
  function tellFinished(unit: FollowedUnit, status: UnitStatus, told: Set<number>): boolean {
    for (const [index, image] of status.images.entries()) {
      const outcome = outcomeOf(image, unit, sinceMs);
      if (!outcome || told.has(index)) continue;
      told.add(index);
      account.tell(outcome);
      clearTimeout(timer);
      timer = setTimeout(giveUp, patienceMs);
    }
    return told.size >= status.images.length;
  }

  await eachAtOnce(followed, UNITS_AT_ONCE, async (unit) => {
    await account.room();
    await follow(unit);
    done();
  });
  clearTimeout(timer);
  return impatience.signal.aborted ? 'out of patience' : 'finished';
}

/** How it went with an image, or `undefined`: nobody knows yet. */
function outcomeOf(image: ImageStatus, unit: FollowedUnit, sinceMs: number): ImageOutcome | undefined {
  const { src } = image;
  if (image.state === 'ready') {
    const { sourceBytes } = image;
    const variants = image.variants.map(({ url: _url, effort: _effort, ...made }) => made);
    // Whether it was there before, only who prewarms it knows.
    return { unit: unit.id, src, state: 'ready', sourceBytes, variants, skipped: false };
  }
  if (image.state === 'pending') return undefined;
  const { code, detail, retryable, nextAttempt } = image;
  // What was broken before and whose time has come is tried again.
  const before = unit.brokenBefore?.[src];
  const isTriedAgain = before === undefined ? Date.parse(nextAttempt) < sinceMs : nextAttempt === before;
  return isTriedAgain ? undefined : { unit: unit.id, src, state: 'broken', code, detail, retryable };
}
