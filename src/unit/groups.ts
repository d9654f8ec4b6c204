import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { groupFolder, type Sha256 } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';
import type { Unit } from './unit.ts';

/** Which units have been sent with which group: an index in the store, of one object for each batch of units or for a unit that came alone. */
export interface Groups {
  /**
   * Notes the groups of units. To be called before their manifests are stored, so that no unit is missing. A unit may be listed that has
   * left its group since, or was purged: its manifest decides.
   */
  add(units: readonly Pick<Unit, 'id' | 'group'>[]): Promise<void>;
  /** Lists what there is about a group. */
  list(group: string): AsyncIterable<ListedMembers>;
  /** Notes units of an entry that are about to be purged, see `ListedMembers.untagged`. Returns the entry as it is now. */
  noteUntagged(entry: ListedMembers, untagged: readonly string[]): Promise<ListedMembers>;
  /** Removes an entry, unless it was stored again since it was listed. */
  remove(entry: ListedMembers): Promise<void>;
}

export interface ListedMembers {
  key: string;
  etag: string;
  /** When it was stored, by the store's clock, in Unix milliseconds. */
  storedMs: number;
  units: readonly string[];
  /** Those whose own cache tags have to be invalidated, since a purge that was cut off may have removed the variants that show it. */
  untagged: readonly string[];
}

const entrySchema = z.object({
  units: z.array(z.string()).readonly(),
  untagged: z.array(z.string()).readonly().default([]),
});
const NO_UNITS: z.infer<typeof entrySchema> = { units: [], untagged: [] };
const JSON_OBJECT = { contentType: 'application/json' };

/** @param nowMs - in Unix milliseconds: it only makes names unique and ordered */
export function createGroups(store: VariantStore, sha256: Sha256, nowMs: () => number): Groups {
  /** A unit that comes again and again has one entry. */
  function keyOf(group: string, units: readonly string[]): string {
    const folder = groupFolder(group, sha256);
    const [only] = units;
    if (only !== undefined && units.length === 1) return `${folder}/unit/${only}`;
    return `${folder}/batch/${String(Math.round(nowMs())).padStart(13, '0')}-${randomBytes(6).toString('hex')}`;
  }

  return {
    async add(units) {
      const members = new Map<string, string[]>();
      for (const { id, group } of units) {
        if (group === undefined) continue;
        const known = members.get(group);
        if (known) known.push(id);
        else members.set(group, [id]);
      }
      await Promise.all(
        [...members].map(async ([group, ids]) => {
          // Random, so that one that is stored again has another ETag.
          const content = { units: ids, entry: randomBytes(8).toString('hex') };
          const body = new TextEncoder().encode(JSON.stringify(content));
          await store.put(keyOf(group, ids), body, JSON_OBJECT);
        }),
      );
    },
    async *list(group) {
      for await (const { key, modifiedMs } of store.list(groupFolder(group, sha256))) {
        const object = await store.get(key);
        if (object) yield { key, etag: object.etag, storedMs: modifiedMs, ...contentOf(object.body) };
      }
    },
    async noteUntagged(entry, untagged) {
      const body = new TextEncoder().encode(JSON.stringify({ units: entry.units, untagged }));
      const stored = await store.replace(entry.key, entry.etag, body, JSON_OBJECT);
      return { ...entry, untagged, ...(stored && { etag: stored.etag }) };
    },
    async remove({ key, etag }) {
      await store.deleteIfMatch(key, etag);
    },
  };
}

/** Returns none of an entry that is damaged. */
function contentOf(body: Uint8Array): z.infer<typeof entrySchema> {
  try {
    return entrySchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return NO_UNITS;
  }
}
