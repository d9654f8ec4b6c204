import type { Sha256 } from '../protocol/keys.ts';
import { unitAddress } from '../protocol/keys.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Tombstones } from '../purge/tombstones.ts';
import type { StoredObject, VariantStore } from '../store/store.ts';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  startOfManifest,
  UnreadableManifest,
} from './manifest.ts';
import { isNewer, type PackedManifest, type Packs } from './packs.ts';

/** Which manifest of a unit counts: the newest, in the unit's folder or in a pack, unless the unit was purged since. */
export interface CurrentManifest {
  /**
   * Returns the manifest of a unit, wherever it is.
   *
   * @throws UnreadableManifest
   */
  read(unit: string): Promise<Manifest | undefined>;
  /**
   * Returns the manifest of a unit whose work begins. One that is in this pack is stored in the unit's folder, unless a newer one is there.
   *
   * @param pack - the pack that the job names
   * @throws UnreadableManifest
   * @throws the error of the store
   */
  begin(unit: string, pack: string | undefined): Promise<Manifest | undefined>;
  /** Stores the manifest of a pack in its unit's folder, as `begin` does. Returns `undefined` if the unit was purged since. */
  unpack(packed: PackedManifest): Promise<Manifest | undefined>;
  /** Returns whether the manifest of a pack does not count any more: the unit has a newer one in its folder, or was purged. */
  isOutdated(packed: PackedManifest): Promise<boolean>;
}

export interface CurrentManifestServices {
  store: VariantStore;
  packs: Packs;
  tombstones: Pick<Tombstones, 'read'>;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
  sha256: Sha256;
}

/** What a pack says that names no purge. */
const NEVER = new Date(0).toISOString();
/** Each failed attempt means that another process stored or removed the manifest at that moment. */
const MAX_ATTEMPTS = 20;

export function createCurrentManifest(services: CurrentManifestServices): CurrentManifest {
  const { store, packs, tombstones, sweep, sha256 } = services;
  const keyOf = (unit: string) => unitAddress(unit, sha256).manifestKey;

  /** Returns the manifest as it is stored in the unit's folder: it names the unit's own tombstone. `undefined`: the unit was purged since. */
  async function unlessPurged({ manifest, storedMs }: PackedManifest): Promise<Manifest | undefined> {
    const { purgesSeen = NEVER, ...rest } = manifest;
    const purgedMs = await tombstones.read(manifest.id);
    if (purgedMs !== undefined && purgedMs > Date.parse(purgesSeen)) return undefined;
    const lastPurge = purgedMs === undefined ? null : new Date(purgedMs).toISOString();
    return { ...rest, lastPurge, packedAt: new Date(storedMs).toISOString() };
  }

  /** Returns the manifest of the unit that is at least as new, if there is one; else stores this one. */
  async function storeIfNewer(packed: PackedManifest, manifest: Manifest): Promise<Manifest | undefined> {
    const key = keyOf(manifest.id);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const object = await store.get(key);
      const stored = object && versionOf(object);
      if (stored && !isNewer(packed, stored)) return stored.manifest;
      const info = { contentType: 'application/json' };
      if (await store.replace(key, object?.etag, encodeManifest(manifest), info)) return undefined;
    }
    throw new Error(
      `the manifest of the unit ${manifest.id} could not be stored: it was changed at every attempt`,
    );
  }

  async function unpack(packed: PackedManifest): Promise<Manifest | undefined> {
    const { id } = packed.manifest;
    const manifest = await unlessPurged(packed);
    if (!manifest) return undefined;
    const other = await storeIfNewer(packed, manifest);
    if (other) return other;
    const outcome = await sweep.checkTombstone(id, startOfManifest(manifest), []);
    if (outcome === 'unknown') throw new Error(`it is unknown whether the unit ${id} was purged meanwhile`);
    return outcome === 'kept' ? manifest : undefined;
  }

  return {
    async read(unit) {
      // The pack first: from there it goes to the folder.
      const packed = await packs.find(unit);
      const object = await store.get(keyOf(unit));
      if (!packed) return decodeManifest(object);
      const stored = object && versionOf(object);
      if (stored && !isNewer(packed, stored)) return stored.manifest;
      return (await unlessPurged(packed)) ?? stored?.manifest;
    },
    async begin(unit, pack) {
      const packed = pack === undefined ? undefined : await packs.read(pack, unit);
      const unpacked = packed && (await unpack(packed));
      return unpacked ?? decodeManifest(await store.get(keyOf(unit)));
    },
    unpack,
    async isOutdated(packed) {
      const object = await store.get(keyOf(packed.manifest.id));
      const stored = object && versionOf(object);
      return (stored !== undefined && isNewer(stored, packed)) || !(await unlessPurged(packed));
    },
  };
}

/** Returns a manifest in its unit's folder; `undefined` when it cannot be read, so that any other is better. */
function versionOf(object: StoredObject): PackedManifest | undefined {
  try {
    const manifest = decodeManifest(object);
    if (!manifest) return undefined;
    const { packedAt } = manifest;
    return { manifest, storedMs: packedAt === undefined ? (object.modifiedMs ?? 0) : Date.parse(packedAt) };
  } catch (error) {
    if (error instanceof UnreadableManifest) return undefined;
    throw error;
  }
}
