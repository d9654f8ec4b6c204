import { groupCacheTag, type Sha256, unitAddress } from '../protocol/keys.ts';
import { isUnit } from '../protocol/request.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';

/**
 * Returns the cache tag of the group that a unit's manifest names; `undefined` if it names none, or if there is no manifest that can be read.
 * Never throws.
 */
export type ReadGroupTag = (unit: string) => Promise<string | undefined>;

export function createReadGroupTag(store: Pick<BestEffortStore, 'get'>, sha256: Sha256): ReadGroupTag {
  return async (unit) => {
    const object = await store.get(unitAddress(unit, sha256).manifestKey);
    try {
      const { group } = JSON.parse(new TextDecoder().decode(object?.body));
      return typeof group === 'string' && isUnit(group) ? groupCacheTag(group, sha256) : undefined;
    } catch {
      return undefined;
    }
  };
}
