import pMap from 'p-map';
import { type Sha256, unitAddress } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import { keepProgress, readProgress } from './sweep-progress.ts';
import { type ListedTombstone, startedAtMsOf, type Tombstones } from './tombstones.ts';

/**
 * What became of something that was put: it stays; or it was taken back, since its unit was purged after the work began, or
 * since nobody can tell.
 */
export type PutOutcome = 'kept' | 'purged' | 'unknown';

/**
 * Removes what work that began before a purge puts after it: the other half of purging. Purge marks, then deletes; a writer puts,
 * then looks; so that one of the two sees the other. What a writer leaves that dies between its put and its look is found by the
 * next sweep.
 */
export interface PurgeSweep {
  /**
   * The look after a put. Never throws.
   *
   * @param startedAtMs - when the work began, in Unix milliseconds
   * @param keys - what it put, and nobody minds to be made again: taken back where the mark cannot be read
   */
  checkTombstone(unit: string, startedAtMs: number, keys: readonly string[]): Promise<PutOutcome>;
  /** Removes what of a unit began before it was last purged, and has the CDN forget it. */
  sweepUnit(unit: string): Promise<void>;
  /**
   * Sweeps all units that were purged since the last time, and as long before as work can take; forgets marks that are too old.
   * While that is under way, whoever calls shares it.
   *
   * @param signal - once it aborts, no more are begun: the next sweep goes on there
   */
  sweep(signal?: AbortSignal): Promise<void>;
}

export interface PurgeSweepOptions {
  store: VariantStore;
  tombstones: Tombstones;
  sha256: Sha256;
  nowMs: () => number;
  /** Has the CDN forget a unit, some time soon. Never throws. */
  invalidate: (unit: string) => void;
  /** Is told of each fault that nobody else hears of. */
  report: (operation: 'get' | 'delete', key: string, fault: unknown) => void;
}

/** Longer than any one piece of work takes: a Lambda lives for fifteen minutes. */
const LONGEST_WORK_MS = 60 * 60 * 1000;
/** Each waits for the store much longer than it works; there may be hundreds of thousands in an hour. */
const UNITS_AT_ONCE = 64;

export function createPurgeSweep(options: PurgeSweepOptions): PurgeSweep {
  const { store, tombstones, sha256, nowMs, invalidate, report } = options;
  let sweeping: Promise<void> | undefined;

  async function sweepUnit(unit: string): Promise<void> {
    const purgedMs = await tombstones.read(unit);
    if (purgedMs === undefined) return;
    const { folder } = unitAddress(unit, sha256);
    let removed = 0;
    for await (const { key } of store.list(folder)) {
      const startedAtMs = await startedAtMsOf(store, key);
      if (startedAtMs !== undefined && startedAtMs > purgedMs) continue;
      await store.delete([key]);
      removed++;
    }
    // Between its put and now somebody may have asked for it.
    if (removed > 0) invalidate(unit);
  }

  async function look(unit: string, startedAtMs: number): Promise<PutOutcome> {
    const purgedMs = await tombstones.read(unit);
    if (purgedMs === undefined || startedAtMs > purgedMs) return 'kept';
    // Not simply its own keys: whoever began after the purge may have put the same since.
    await sweepUnit(unit);
    return 'purged';
  }

  async function sweepMark(mark: ListedTombstone): Promise<void> {
    if (mark.isOld) return await tombstones.forget(mark);
    const unit = await tombstones.unitOf(mark);
    // One that cannot be swept is no reason to leave the others.
    if (unit !== undefined)
      await sweepUnit(unit).catch((fault: unknown) =>
        report('delete', unitAddress(unit, sha256).folder, fault),
      );
  }

  async function sweepMarked(signal?: AbortSignal): Promise<void> {
    const { doneMs, part } = await readProgress(store);
    const startMs = part?.startMs ?? nowMs();
    const isDue = ({ key, createdAtMs, isOld }: ListedTombstone) =>
      (part === undefined || key >= part.from) && (isOld || createdAtMs >= doneMs - LONGEST_WORK_MS);
    let found = 0;
    let next: string | undefined;

    async function* due(): AsyncGenerator<ListedTombstone> {
      for await (const mark of tombstones.list()) {
        if (!isDue(mark)) continue;
        if (signal?.aborted) {
          next = mark.key;
          return;
        }
        found++;
        yield mark;
      }
    }

    await pMap(due(), sweepMark, { concurrency: UNITS_AT_ONCE });
    if (next !== undefined) await keepProgress(store, { doneMs, part: { startMs, from: next } });
    else if (found > 0 || part) await keepProgress(store, { doneMs: startMs });
  }

  return {
    sweepUnit,
    async checkTombstone(unit, startedAtMs, keys) {
      try {
        return await look(unit, startedAtMs);
      } catch (fault) {
        const { tombstoneKey, folder } = unitAddress(unit, sha256);
        report('get', tombstoneKey, fault);
        if (keys.length > 0)
          await store.delete(keys).catch((second: unknown) => report('delete', folder, second));
        return 'unknown';
      }
    },
    sweep(signal) {
      sweeping ??= sweepMarked(signal).finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },
  };
}
