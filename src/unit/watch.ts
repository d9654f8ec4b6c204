import PQueue from 'p-queue';
import { sleep } from '../backoff.ts';
import { readImages, readManifest, type StatusServices, totalsOf, type UnitStatus } from './status.ts';
import type { UnitStates } from './unit-states.ts';

/** How far the work on a unit is. */
export interface WatchedUnit {
  id: string;
  /** `undefined`: there is no such unit; it may have been purged. */
  status: WatchedStatus | undefined;
}

export interface WatchedStatus extends UnitStatus {
  /** Whether the work on its last submission has ended. Images that are pending then have been given up. */
  hasEnded: boolean;
}

export interface WatchOptions {
  /** Ends the watch. */
  signal: AbortSignal;
  /** Called with each error of the store. The unit is looked at again later. */
  onError: (error: unknown) => void;
}

/** Returns how far the work on a unit is now. Throws the error of the store. */
export type LookAtUnit = (id: string) => Promise<WatchedUnit>;

/**
 * Follows units that any process works on: yields each of them at once, and then whenever another of its images has become ready or broken.
 * Ends when the work on all of them has ended, or when the signal aborts.
 *
 * It asks the store: nothing else knows of the work of all processes. All looks of this process for watches are `LOOKS_PER_SECOND` at most,
 * however many follow units, and a unit that does not change, or that takes long to read, is looked at less and less often.
 */
export type WatchUnits = (ids: readonly string[], options: WatchOptions) => AsyncGenerator<WatchedUnit, void>;

export interface WatchServices extends StatusServices {
  states: Pick<UnitStates, 'hasResult'>;
}

export const LOOKS_PER_SECOND = 10;
const CONCURRENT_LOOKS = 4;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5000;
/** A unit of ten thousand images takes seconds to read: at most this part of the time goes into that. */
const BUSY_PART = 0.1;

/** A unit that is followed. */
interface Followed {
  id: string;
  /** When it is looked at next. */
  dueMs: number;
  pauseMs: number;
  /** What there was to see at the last look. */
  seen: string | undefined;
}

export function createWatchUnits(services: WatchServices): { look: LookAtUnit; watch: WatchUnits } {
  const looks = new PQueue({
    concurrency: CONCURRENT_LOOKS,
    interval: 1000,
    intervalCap: LOOKS_PER_SECOND,
  });

  async function read(id: string): Promise<WatchedUnit> {
    const manifest = await readManifest(services, id);
    if (!manifest) return { id, status: undefined };
    // Before the images: once the work has ended, they do not change any more.
    const hasEnded = await services.states.hasResult(manifest);
    const images = (await readImages(services, manifest)).map(({ status }) => status);
    return { id, status: { id, images, totals: totalsOf(images), hasEnded } };
  }

  /** Returns a unit if there is something new of it. */
  async function lookAt(
    followed: Followed,
    { signal, onError }: WatchOptions,
  ): Promise<WatchedUnit | undefined> {
    try {
      const { unit, tookMs } = await looks.add(() => readTimed(followed.id), { signal });
      const seen = summaryOf(unit);
      const isNew = seen !== followed.seen;
      followed.seen = seen;
      rest(followed, isNew, tookMs);
      return isNew ? unit : undefined;
    } catch (error) {
      rest(followed, false, 0);
      if (!signal.aborted) onError(error);
      return undefined;
    }
  }

  async function readTimed(id: string): Promise<{ unit: WatchedUnit; tookMs: number }> {
    const startMs = performance.now();
    return { unit: await read(id), tookMs: performance.now() - startMs };
  }

  async function* watch(ids: readonly string[], options: WatchOptions): AsyncGenerator<WatchedUnit, void> {
    const { signal } = options;
    const left = ids.map((id): Followed => ({ id, dueMs: 0, pauseMs: FIRST_PAUSE_MS, seen: undefined }));
    while (left.length > 0) {
      const next = left.reduce((first, other) => (other.dueMs < first.dueMs ? other : first));
      await sleep(Math.max(0, next.dueMs - performance.now()), signal);
      if (signal.aborted) return;
      const unit = await lookAt(next, options);
      if (!unit) continue;
      if (unit.status?.hasEnded !== false) left.splice(left.indexOf(next), 1);
      yield unit;
    }
  }

  return { look: read, watch };
}

/** Says when the unit is looked at next. */
function rest(unit: Followed, isNew: boolean, tookMs: number): void {
  unit.pauseMs = isNew ? FIRST_PAUSE_MS : Math.min(2 * unit.pauseMs, MAX_PAUSE_MS);
  unit.dueMs = performance.now() + Math.max(unit.pauseMs, tookMs / BUSY_PART);
}

/** Two looks at a unit with the same summary show the same. */
function summaryOf({ status }: WatchedUnit): string {
  if (!status) return 'gone';
  const { images, hasEnded } = status;
  const states = images.map((image) => (image.state === 'broken' ? image.code : image.state[0]));
  return `${states.join()} ${hasEnded}`;
}
