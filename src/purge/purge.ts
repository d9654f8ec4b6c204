import PQueue from 'p-queue';
import type { Cdn, Invalidation } from '../cdn/cdn.ts';
import { type Sha256, unitAddress, unitCacheTag } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import { deleteUnit, startedAtMsOf } from './delete-unit.ts';
import type { Tombstones } from './tombstones.ts';

export interface PurgeResult {
  units: readonly PurgedUnit[];
  /** The invalidations that the CDN accepted; none without a CDN. */
  invalidations: readonly Invalidation[];
}

export interface PurgedUnit {
  id: string;
  /** The time of the tombstone, ISO 8601: work that started at or before it leaves nothing behind. */
  purgedAt: string;
  /** How many objects were deleted, and their bytes. */
  objects: number;
  bytes: number;
}

export interface PurgeServices {
  store: VariantStore;
  tombstones: Pick<Tombstones, 'put'>;
  cdn: Cdn;
  sha256: Sha256;
  nowMs: () => number;
}

/**
 * Removes units from the store, then invalidates their cache tags at the CDN. It can be repeated after a failure.
 *
 * A unit that was submitted before its purge began is removed. One that is submitted again once the purge has read the old manifest,
 * its first step, stays, however slow the store is.
 *
 * @param options.dryRun - only count what would be removed
 * @throws the fault of the store or the CDN; the units that could be purged are still invalidated
 */
export type PurgeUnits = (ids: readonly string[], options?: { dryRun?: boolean }) => Promise<PurgeResult>;

const UNIT_CONCURRENCY = 16;

/**
 * The order makes a purge win over work in flight: it stores the tombstone, so that from now on writers remove what they put;
 * deletes; invalidates.
 */
export function createPurge({ store, tombstones, cdn, sha256, nowMs }: PurgeServices): PurgeUnits {
  const queue = new PQueue({ concurrency: UNIT_CONCURRENCY });

  async function purgeUnit(id: string, dryRun: boolean): Promise<PurgedUnit> {
    // Taken before anything else: a later time would also remove what is submitted while the tombstone is being stored.
    const startedMs = nowMs();
    const address = unitAddress(id, sha256);
    const purgedMs = dryRun ? startedMs : await putTombstone(id, address.manifestKey, startedMs);
    const deleted = await deleteUnit(store, address, purgedMs, { dryRun });
    return { id, purgedAt: new Date(purgedMs).toISOString(), ...deleted };
  }

  async function putTombstone(id: string, manifestKey: string, startedMs: number): Promise<number> {
    // A manifest that is already there was submitted before, even if its time is later because another machine's clock is ahead.
    const submittedMs = await startedAtMsOf(store, manifestKey);
    return await tombstones.put(id, Math.max(startedMs, submittedMs ?? 0));
  }

  return async (ids, { dryRun = false } = {}) => {
    const distinctIds = [...new Set(ids)];
    const purges = distinctIds.map((id) => queue.add(() => purgeUnit(id, dryRun)));
    const results = await Promise.allSettled(purges);
    const purgedIds = distinctIds.filter((_id, index) => results[index]?.status === 'fulfilled');
    const tags = purgedIds.map((id) => unitCacheTag(id, sha256));
    const invalidations = dryRun ? [] : await cdn.invalidate(tags);
    return { units: await Promise.all(purges), invalidations };
  };
}
