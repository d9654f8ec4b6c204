import PQueue from 'p-queue';
import type { Cdn, Invalidation } from '../cdn/cdn.ts';
import { type Sha256, unitAddress, unitCacheTag } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import { startedAtMsOf, type Tombstones } from './tombstones.ts';

/** What a purge did. */
export interface Purge {
  units: readonly PurgedUnit[];
  /** What the CDN was asked: nothing where there is none. */
  invalidations: readonly Invalidation[];
}

export interface PurgedUnit {
  id: string;
  /** When: what began before leaves nothing behind. ISO 8601. */
  purgedAt: string;
  /** How many objects went, and their bytes. */
  objects: number;
  bytes: number;
}

export interface PurgeServices {
  store: VariantStore;
  tombstones: Pick<Tombstones, 'mark'>;
  cdn: Cdn;
  sha256: Sha256;
  nowMs: () => number;
}

/** Units purged at once. */
const UNITS_AT_ONCE = 16;
/** Objects deleted in one call; it is what S3 takes. */
const DELETES_A_CALL = 1000;

/** Removes units from the store, then from the CDN; see `Units.purge`. */
export type PurgeUnits = (ids: readonly string[], options?: { dryRun?: boolean }) => Promise<Purge>;

/** What a store's clock may be off by: S3's counts in whole seconds. */
const CLOCK_MARGIN_MS = 2000;

/** The order is what makes a purge win: mark, so that writers take back what they put from now on; delete; invalidate. */
export function createPurge({ store, tombstones, cdn, sha256, nowMs }: PurgeServices): PurgeUnits {
  const places = new PQueue({ concurrency: UNITS_AT_ONCE });

  async function purgeOne(id: string, dryRun: boolean): Promise<PurgedUnit> {
    const { folder, manifestKey } = unitAddress(id, sha256);
    // The mark is later than what it is to remove, though another machine's clock was ahead when that was sent.
    const purgedMs = dryRun
      ? nowMs()
      : await tombstones.mark(id, (await startedAtMsOf(store, manifestKey)) ?? 0);
    let objects = 0;
    let bytes = 0;
    let batch: string[] = [];
    const deleteBatch = async () => {
      if (!dryRun && batch.length > 0) await store.delete(batch);
      batch = [];
    };
    for await (const object of store.list(folder)) {
      const mayBeNewer = object.key === manifestKey || object.modifiedMs > purgedMs - CLOCK_MARGIN_MS;
      if (mayBeNewer && (await isNewer(object.key, purgedMs))) continue;
      objects++;
      bytes += object.bytes;
      if (batch.push(object.key) === DELETES_A_CALL) await deleteBatch();
    }
    await deleteBatch();
    return { id, purgedAt: new Date(purgedMs).toISOString(), objects, bytes };
  }

  /** Whether it is of work that began after the purge, and so not meant. */
  async function isNewer(key: string, purgedMs: number): Promise<boolean> {
    const startedAtMs = await startedAtMsOf(store, key);
    return startedAtMs !== undefined && startedAtMs > purgedMs;
  }

  return async (ids, { dryRun = false } = {}) => {
    const distinct = [...new Set(ids)];
    const work = distinct.map((id) => places.add(() => purgeOne(id, dryRun)));
    const settled = await Promise.allSettled(work);
    // Even where a unit could not be purged whole, the CDN forgets what went of the others.
    const purged = distinct.filter((_id, index) => settled[index]?.status === 'fulfilled');
    const tags = purged.map((id) => unitCacheTag(id, sha256));
    const invalidations = dryRun ? [] : await cdn.invalidate(tags);
    return { units: await Promise.all(work), invalidations };
  };
}
