import PQueue from 'p-queue';
import type { Cdn, Invalidation } from '../cdn/cdn.ts';
import { type Sha256, type UnitAddress, unitAddress, unitCacheTag } from '../protocol/keys.ts';
import { isOutOfSpace, type VariantStore } from '../store/store.ts';
import { countUnit, type Deleted, deleteUnit } from './delete-unit.ts';
import { beganBefore } from './purge-order.ts';
import type { Tombstone, Tombstones } from './tombstones.ts';

export interface PurgeResult {
  units: readonly PurgedUnit[];
  /** The invalidations that the CDN accepted; none without a CDN. */
  invalidations: readonly Invalidation[];
}

export interface PurgedUnit extends Deleted {
  id: string;
  /** The time of the tombstone, ISO 8601. It is later than the time of the purge if the unit's last tombstone was, by a wrong clock. */
  purgedAt: string;
  /** The tag that the unit's copies in a cache have. */
  cacheTag: string;
}

export interface PurgeServices {
  store: VariantStore;
  tombstones: Pick<Tombstones, 'put' | 'read'>;
  cdn: Cdn;
  sha256: Sha256;
  nowMs: () => number;
}

/**
 * Removes units from the store, then invalidates their cache tags at the CDN. It can be repeated after a failure.
 *
 * What began before the purge stored its tombstone, its first step, is removed, a unit that was submitted too. What begins later stays,
 * however slow the store is.
 *
 * @param options.dryRun - only count what would be removed
 * @throws the fault of the store or the CDN, which says what was not done; the units that could be purged are still invalidated
 */
export type PurgeUnits = (ids: readonly string[], options?: PurgeOptions) => Promise<PurgeResult>;

export interface PurgeOptions {
  dryRun?: boolean;
  /** The cache tags to invalidate. Default: that of each unit. */
  tags?: readonly string[];
  /** Called with each unit that is purged from the store, even if the purge of others, or the CDN, fails. */
  onPurged?: (unit: PurgedUnit) => void;
}

const UNIT_CONCURRENCY = 16;
/** How much older than the tombstone an object is that is deleted unread. S3 gives whole seconds, by one clock. */
const STORE_CLOCK_MARGIN_MS = 2000;

/**
 * The order makes a purge win over work in flight: it stores the tombstone, so that from now on writers remove what they put;
 * deletes; invalidates.
 */
export function createPurge({ store, tombstones, cdn, sha256, nowMs }: PurgeServices): PurgeUnits {
  const queue = new PQueue({ concurrency: UNIT_CONCURRENCY });

  async function purgeUnit(id: string, dryRun: boolean): Promise<PurgedUnit> {
    const startedMs = nowMs();
    const address = unitAddress(id, sha256);
    const cacheTag = unitCacheTag(id, sha256);
    if (dryRun) return { id, purgedAt: isoTime(startedMs), cacheTag, ...(await countUnit(store, address)) };
    const { tombstone, freed } = await putTombstone(id, address, startedMs);
    const { timeMs, storedAtMs } = tombstone;
    const { objects, bytes } = await deleteUnit(store, address, {
      // What does not name a tombstone is of an earlier version of this program: its clock may have been ahead.
      isBefore: async ({ lastPurgeMs = 0 }) =>
        await beganBefore({ lastPurgeMs }, timeMs, () => tombstones.read(id)),
      unreadBeforeMs: storedAtMs && storedAtMs - STORE_CLOCK_MARGIN_MS,
    });
    return {
      ...{ id, purgedAt: isoTime(timeMs), cacheTag },
      ...{ objects: freed.objects + objects, bytes: freed.bytes + bytes },
    };
  }

  /**
   * On a full disk the unit is deleted first, which makes room for the tombstone. After any other failure nothing is: without a tombstone, a
   * unit that is sent at that moment would be lost, and work in flight would store what was removed.
   */
  async function putTombstone(
    id: string,
    address: UnitAddress,
    startedMs: number,
  ): Promise<{ tombstone: Tombstone; freed: Deleted }> {
    try {
      return { tombstone: await tombstones.put(id, startedMs), freed: { objects: 0, bytes: 0 } };
    } catch (error) {
      if (!isOutOfSpace(error)) throw new UnstartedPurge(id, error);
      const freed = await deleteUnit(store, address, {
        isBefore: async () => true,
        unreadBeforeMs: Number.POSITIVE_INFINITY,
      });
      try {
        return { tombstone: await tombstones.put(id, startedMs), freed };
      } catch (secondError) {
        throw new UnmarkedPurge(id, freed, secondError);
      }
    }
  }

  return async (ids, { dryRun = false, tags, onPurged = () => {} } = {}) => {
    const distinctIds = [...new Set(ids)];
    const purges = distinctIds.map((id) =>
      queue.add(async () => {
        const purged = await purgeUnit(id, dryRun);
        onPurged(purged);
        return purged;
      }),
    );
    const results = await Promise.allSettled(purges);
    // Without its tombstone a unit is not purged, but what it had was deleted.
    const deletedIds = distinctIds.filter((_id, index) => {
      const result = results[index];
      return result?.status === 'fulfilled' || result?.reason instanceof UnmarkedPurge;
    });
    const invalidated = tags ?? deletedIds.map((id) => unitCacheTag(id, sha256));
    const invalidating = dryRun || invalidated.length === 0 ? [] : cdn.invalidate(invalidated);
    const [invalidation] = await Promise.allSettled([invalidating]);
    // Of two failures the one of the store is told: what is left there would come back to the CDN.
    const units = await Promise.all(purges);
    if (invalidation.status === 'rejected') throw new UninvalidatedPurge(units, invalidation.reason);
    return { units, invalidations: invalidation.value };
  };
}

/** The unit's tombstone could not be stored, and nothing was removed. */
export class UnstartedPurge extends Error {
  constructor(unit: string, cause: unknown) {
    super(
      `unit ${unit}: nothing was removed, since the tombstone could not be stored (${(cause as Error).message}): purge the unit again`,
      { cause },
    );
  }
}

/** The unit's objects were deleted, but not its tombstone stored: what was in flight may still be stored. */
export class UnmarkedPurge extends Error {
  constructor(unit: string, { objects }: Deleted, cause: unknown) {
    super(
      `unit ${unit}: ${objects} objects were deleted, but the tombstone could not be stored (${(cause as Error).message}): ` +
        'work that began before may still store what it makes. Make room in the store, and purge the unit again',
      { cause },
    );
  }
}

/** All was removed from the store, but not invalidated at the CDN, which may still serve its copies. */
export class UninvalidatedPurge extends Error {
  /** What was removed: the sum of these. The tags are those that the CDN did not accept. */
  readonly units: readonly (Deleted & { cacheTag: string })[];
  constructor(units: readonly (Deleted & { cacheTag: string })[], cause: unknown) {
    super((cause as Error).message, { cause });
    this.units = units;
  }
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
