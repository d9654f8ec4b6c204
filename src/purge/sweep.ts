import pMap from 'p-map';
import { z } from 'zod';
import { type Sha256, SWEEP_PROGRESS_KEY, unitAddress } from '../protocol/keys.ts';
import type { WorkStart } from '../protocol/work-start.ts';
import type { VariantStore } from '../store/store.ts';
import { deleteUnit } from './delete-unit.ts';
import { beganBefore, isPurgedSince } from './purge-order.ts';
import type { ListedTombstone, Tombstones } from './tombstones.ts';

/**
 * The result of a put: `kept`; `purged`: removed again, because the unit was purged after the work started; `unknown`: removed
 * again, because the tombstone could not be read.
 */
export type PutOutcome = 'kept' | 'purged' | 'unknown';

/**
 * Removes what work that started before a purge stores after it: the other half of a purge. A purge stores its tombstone, then
 * deletes; a writer reads the tombstone, puts, then reads the tombstone again; so one of the two sees the other. The sweep finds what is
 * left by a writer that dies between its put and its check.
 */
export interface PurgeSweep {
  /**
   * To be called when work on a unit begins, before it looks at anything else: reads the tombstone. Never throws. If the tombstone cannot be
   * read, the work counts as begun before any purge.
   */
  beginWork(unit: string): Promise<WorkStart>;
  /**
   * The check of a writer after its put. Never throws.
   *
   * @param start - what `beginWork` returned
   * @param keys - what the writer has put and can be made again: removed if the tombstone cannot be read
   */
  checkTombstone(unit: string, start: WorkStart, keys: readonly string[]): Promise<PutOutcome>;
  /** Removes what started before the unit's last purge, and invalidates the unit at the CDN if there was anything. */
  sweepUnit(unit: string): Promise<void>;
  /**
   * Sweeps all units that were purged since the last complete sweep, and in the hour before that, as long as work can take. Removes
   * expired tombstones. Calls during a sweep share it.
   *
   * @param signal - once it aborts, no further unit is started: the next sweep continues there
   */
  sweep(signal?: AbortSignal): Promise<void>;
}

export interface PurgeSweepOptions {
  store: VariantStore;
  tombstones: Tombstones;
  sha256: Sha256;
  nowMs: () => number;
  /** Invalidates a unit at the CDN, in the background. Must not throw. */
  invalidate: (unit: string) => void;
  /** Called with each error that is not thrown to a caller: log and count it. */
  onError: (operation: 'get' | 'delete', key: string, error: unknown) => void;
}

/** Longer than any piece of work takes: a Lambda lives for fifteen minutes. */
const MAX_WORK_MS = 60 * 60 * 1000;
/** A sweep mostly waits for the store, and an hour can have hundreds of thousands of purges. */
const UNIT_CONCURRENCY = 64;

export function createPurgeSweep(options: PurgeSweepOptions): PurgeSweep {
  const { store, tombstones, sha256, nowMs, invalidate, onError } = options;
  let running: Promise<void> | undefined;

  async function sweepUnit(unit: string): Promise<void> {
    const purgedMs = await tombstones.read(unit);
    if (purgedMs === undefined) return;
    const { objects } = await deleteUnit(store, unitAddress(unit, sha256), {
      isBefore: async (start) => {
        const { lastPurgeMs } = start;
        if (lastPurgeMs === undefined) return isPurgedSince(start, purgedMs);
        return await beganBefore({ lastPurgeMs }, purgedMs, () => tombstones.read(unit));
      },
    });
    // A client may have requested it since it was put, so that the CDN has it.
    if (objects > 0) invalidate(unit);
  }

  async function outcomeOf(unit: string, start: WorkStart): Promise<PutOutcome> {
    if (!isPurgedSince(start, await tombstones.read(unit))) return 'kept';
    // Not just the writer's own keys: newer work may have put other objects at the same keys since.
    await sweepUnit(unit);
    return 'purged';
  }

  const sweepAll = createSweepAll(options, sweepUnit);

  return {
    sweepUnit,
    async beginWork(unit) {
      const atMs = nowMs();
      try {
        return { atMs, lastPurgeMs: (await tombstones.read(unit)) ?? 0 };
      } catch (error) {
        onError('get', unitAddress(unit, sha256).tombstoneKey, error);
        return { atMs, lastPurgeMs: 0 };
      }
    },
    async checkTombstone(unit, start, keys) {
      try {
        return await outcomeOf(unit, start);
      } catch (error) {
        const { tombstoneKey, folder } = unitAddress(unit, sha256);
        onError('get', tombstoneKey, error);
        if (keys.length > 0)
          await store.delete(keys).catch((deleteError: unknown) => onError('delete', folder, deleteError));
        return 'unknown';
      }
    },
    sweep(signal) {
      running ??= sweepAll(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** Returns a function that makes one sweep; see `PurgeSweep.sweep`. */
function createSweepAll(
  { store, tombstones, sha256, nowMs, onError }: PurgeSweepOptions,
  sweepUnit: PurgeSweep['sweepUnit'],
): (signal?: AbortSignal) => Promise<void> {
  async function sweepTombstone(tombstone: ListedTombstone): Promise<void> {
    if (tombstone.isExpired) return await tombstones.removeExpired(tombstone);
    const unit = await tombstones.unitOf(tombstone);
    if (unit === undefined) return;
    // A unit that fails must not keep the others from being swept.
    await sweepUnit(unit).catch((error: unknown) =>
      onError('delete', unitAddress(unit, sha256).folder, error),
    );
  }

  return async (signal) => {
    const { doneMs, part } = await readProgress(store, nowMs());
    const startMs = part?.startMs ?? nowMs();
    const isDue = ({ key, createdAtMs, isExpired }: ListedTombstone) =>
      (part === undefined || key >= part.from) && (isExpired || createdAtMs >= doneMs - MAX_WORK_MS);
    let dueCount = 0;
    let nextKey: string | undefined;

    async function* dueTombstones(): AsyncGenerator<ListedTombstone> {
      for await (const tombstone of tombstones.list()) {
        if (!isDue(tombstone)) continue;
        if (signal?.aborted) {
          nextKey = tombstone.key;
          return;
        }
        dueCount++;
        yield tombstone;
      }
    }

    await pMap(dueTombstones(), sweepTombstone, { concurrency: UNIT_CONCURRENCY });
    if (nextKey !== undefined) await writeProgress(store, { doneMs, part: { startMs, from: nextKey } });
    else if (dueCount > 0 || part) await writeProgress(store, { doneMs: startMs });
  };
}

/** How far sweeping has come. Times are in Unix milliseconds. */
interface SweepProgress {
  /** When the last complete sweep began; 0: there was none. */
  doneMs: number;
  /** A sweep that was interrupted. */
  part?: {
    startMs: number;
    /** The key of the first tombstone that it did not sweep. */
    from: string;
  };
}

const progressSchema = z.object({
  at: z.iso.datetime(),
  part: z.object({ at: z.iso.datetime(), from: z.string() }).optional(),
});

/** If the progress is missing, unreadable, or of a clock that was ahead, everything is swept. */
async function readProgress(store: VariantStore, nowMs: number): Promise<SweepProgress> {
  const object = await store.get(SWEEP_PROGRESS_KEY);
  try {
    const { at, part } = progressSchema.parse(JSON.parse(new TextDecoder().decode(object?.body)));
    const doneMs = Date.parse(at) > nowMs ? 0 : Date.parse(at);
    return part ? { doneMs, part: { startMs: Date.parse(part.at), from: part.from } } : { doneMs };
  } catch {
    return { doneMs: 0 };
  }
}

async function writeProgress(store: VariantStore, { doneMs, part }: SweepProgress): Promise<void> {
  const progress: z.infer<typeof progressSchema> = {
    at: new Date(doneMs).toISOString(),
    part: part && { at: new Date(part.startMs).toISOString(), from: part.from },
  };
  await store.put(SWEEP_PROGRESS_KEY, new TextEncoder().encode(JSON.stringify(progress)), {
    contentType: 'application/json',
  });
}
