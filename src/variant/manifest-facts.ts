import { groupCacheTag, type Sha256, unitAddress } from '../protocol/keys.ts';
import { isUnit } from '../protocol/request.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import type { PrewarmedUnit } from './not-prewarmed.ts';

/** What a request for an image that is not stored has to know of the manifest of its unit. */
export interface ManifestFacts {
  /** The cache tag of the group that the unit names, if it does. */
  groupTag: string | undefined;
  /** What prewarm makes of the unit; `undefined` if the manifest does not say. */
  prewarmed: PrewarmedUnit | undefined;
}

/** Returns what the manifest of a unit says; `undefined` if there is none that can be read. Never throws. */
export type ReadManifestFacts = (unit: string) => Promise<ManifestFacts | undefined>;

export function createReadManifestFacts(
  store: Pick<BestEffortStore, 'get'>,
  sha256: Sha256,
): ReadManifestFacts {
  return async (unit) => {
    const object = await store.get(unitAddress(unit, sha256).manifestKey);
    try {
      const manifest = JSON.parse(new TextDecoder().decode(object?.body));
      const { group } = manifest;
      const groupTag = typeof group === 'string' && isUnit(group) ? groupCacheTag(group, sha256) : undefined;
      return { groupTag, prewarmed: isPrewarmedUnit(manifest) ? manifest : undefined };
    } catch {
      return undefined;
    }
  };
}

function isPrewarmedUnit(manifest: Record<keyof PrewarmedUnit, unknown>): manifest is PrewarmedUnit {
  const { widths, tiers, formats, images } = manifest;
  return [widths, tiers, formats, images].every((list) => Array.isArray(list));
}
