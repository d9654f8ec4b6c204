import pMap from 'p-map';
import type { Cdn, Invalidation } from '../cdn/cdn.ts';
import { groupCacheTag, parseVariantKey, type Sha256, unitAddress, unitCacheTag } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import type { Deleted } from '../purge/delete-unit.ts';
import { type PurgeResult, type PurgeUnits, UninvalidatedPurge } from '../purge/purge.ts';
import type { VariantStore } from '../store/store.ts';
import type { CurrentManifest } from './current-manifest.ts';
import type { Groups, ListedMembers } from './groups.ts';
import { UnreadableManifest } from './manifest.ts';

/** What a purge of a group removed. */
export interface PurgedGroup {
  group: string;
  /** How many units, their objects in the store, and the bytes of those. */
  units: number;
  objects: number;
  bytes: number;
  /** The tag of the group, and that of each unit with variants that do not carry it. */
  cacheTags: readonly string[];
  /** One tag for the group, and one for each unit with variants that do not carry it. */
  invalidations: readonly Invalidation[];
}

export interface PurgeGroupOptions {
  /** Only counts what would be removed. */
  dryRun?: boolean;
  /** Called now and then with what was removed so far. */
  onProgress?: (purged: Omit<PurgedGroup, 'invalidations' | 'cacheTags'>) => void;
  /** Once it aborts, no further units are purged: the rest stays in the group. */
  signal?: AbortSignal;
}

/**
 * Removes the units of a group from the store, then invalidates the tag of the group at the CDN: one, however many units it has. It can be
 * repeated after a failure, and continues then.
 *
 * @throws the fault of the store or the CDN
 */
export type PurgeGroup = (group: string, options?: PurgeGroupOptions) => Promise<PurgedGroup>;

export interface PurgeGroupServices {
  store: VariantStore;
  groups: Groups;
  manifests: Pick<CurrentManifest, 'read'>;
  purge: PurgeUnits;
  cdn: Cdn;
  sha256: Sha256;
  nowMs: () => number;
}

const LOOKUP_CONCURRENCY = 32;
/** Longer than storing the manifests of a batch takes. */
const MAX_SUBMISSION_MS = 60 * 60 * 1000;

export function createPurgeGroup(services: PurgeGroupServices): PurgeGroup {
  const { groups, purge, cdn, sha256, nowMs } = services;

  /** Whether units of an entry may be about to be in the group: the entry is stored before their manifests are. */
  function mayBeSent({ storedMs }: ListedMembers): boolean {
    // Either way: a clock may have been put back.
    return Math.abs(nowMs() - storedMs) < MAX_SUBMISSION_MS;
  }

  /** @param cacheTags - the tags of units whose variants do not carry that of the group are added */
  async function purgeEntry(
    listed: ListedMembers,
    group: string,
    cacheTags: Set<string>,
  ): Promise<PurgeResult> {
    const tag = groupCacheTag(group, sha256);
    const ids = await membersOf(services, listed.units, group);
    const found = await withoutTag(services, ids, tag);
    const untagged = [...new Set([...listed.untagged, ...found])];
    const entry = found.length > 0 ? await groups.noteUntagged(listed, untagged) : listed;
    const tags = untagged.map((id) => unitCacheTag(id, sha256));
    for (const unitTag of tags) cacheTags.add(unitTag);
    const result = await purge(ids, { tags });
    if (ids.length === entry.units.length || !mayBeSent(entry)) await groups.remove(entry);
    else if (untagged.length > 0) await groups.noteUntagged(entry, []);
    return result;
  }

  /** @param counted - the units of earlier entries; those of this one are added */
  async function countEntry(entry: ListedMembers, group: string, counted: Set<string>): Promise<PurgeResult> {
    const members = await membersOf(services, entry.units, group);
    const ids = members.filter((id) => !counted.has(id));
    for (const id of ids) counted.add(id);
    return await purge(ids, { dryRun: true });
  }

  return async (group, { dryRun = false, onProgress = () => {}, signal } = {}) => {
    const total = { group, units: 0, objects: 0, bytes: 0 };
    const invalidations: Invalidation[] = [];
    const tag = groupCacheTag(group, sha256);
    const cacheTags = new Set([tag]);
    const counted = new Set<string>();
    for await (const entry of groups.list(group)) {
      if (signal?.aborted) break;
      const result = await (dryRun ? countEntry(entry, group, counted) : purgeEntry(entry, group, cacheTags));
      total.units += result.units.length;
      total.objects += result.units.reduce((sum, { objects }) => sum + objects, 0);
      total.bytes += result.units.reduce((sum, { bytes }) => sum + bytes, 0);
      invalidations.push(...result.invalidations);
      onProgress(total);
    }
    // Even if there was nothing left: an earlier attempt may have ended before this.
    if (!dryRun) invalidations.push(...(await invalidateGroup(cdn, tag, total)));
    return { ...total, cacheTags: [...cacheTags], invalidations };
  };
}

/** @throws UninvalidatedPurge with what was removed before */
async function invalidateGroup(cdn: Cdn, tag: string, removed: Deleted): Promise<readonly Invalidation[]> {
  try {
    return await cdn.invalidate([tag]);
  } catch (error) {
    throw new UninvalidatedPurge([{ ...removed, cacheTag: tag }], error);
  }
}

/** Returns those that are still in the group. */
async function membersOf(
  { manifests }: PurgeGroupServices,
  units: readonly string[],
  group: string,
): Promise<string[]> {
  const isMember = async (id: string) => {
    try {
      return (await manifests.read(id))?.group === group;
    } catch (error) {
      // It was sent with the group, and is of no use to anyone.
      if (error instanceof UnreadableManifest) return true;
      throw error;
    }
  };
  const found = await pMap(units, async (id) => ((await isMember(id)) ? [id] : []), {
    concurrency: LOOKUP_CONCURRENCY,
  });
  return found.flat();
}

/**
 * Returns the units with variants that do not carry the tag of the group: made for a viewer while the unit was in a pack, or before it came
 * to the group. The CDN's copies of them are only found by the tag of the unit.
 */
async function withoutTag(
  { store, sha256 }: PurgeGroupServices,
  units: readonly string[],
  tag: string,
): Promise<string[]> {
  const carryTag = async (unit: string) => {
    for await (const { key } of store.list(unitAddress(unit, sha256).folder)) {
      if (!parseVariantKey(key)) continue;
      const tags = (await store.head(key))?.metadata[VARIANT_METADATA.cacheTag]?.split(',') ?? [tag];
      if (!tags.includes(tag)) return false;
    }
    return true;
  };
  const found = await pMap(units, async (id) => ((await carryTag(id)) ? [] : [id]), {
    concurrency: LOOKUP_CONCURRENCY,
  });
  return found.flat();
}
