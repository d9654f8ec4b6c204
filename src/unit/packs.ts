import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import pMap from 'p-map';
import { PACK_PREFIX, type Sha256 } from '../protocol/keys.ts';
import { shareCalls } from '../share-calls.ts';
import type { StoredObject, VariantStore } from '../store/store.ts';
import { type Manifest, parseManifest } from './manifest.ts';
import { decodeFilter, encodeFilter, mayHave } from './pack-filter.ts';

/**
 * Packs: manifests of many units in one object, so that a put takes a thousand units. A manifest is there until the work on its unit begins,
 * which stores it in the unit's folder; a pack is never changed, and removed when all of its units have begun.
 *
 * What is in a pack may be old: the unit may have been submitted again, or purged. `currentManifest` knows which manifest counts.
 */
export interface Packs {
  /** Returns the key of a new pack. */
  newKey(nowMs: number): string;
  /** Stores manifests of different units: at most `MAX_PACK_UNITS`. When it resolves, they survive the end of this process. */
  put(key: string, manifests: readonly Manifest[]): Promise<void>;
  /**
   * Returns the manifest of a unit in one pack; `undefined` when it has none of it, or is gone.
   *
   * @throws UnreadableManifest
   */
  read(key: string, unit: string): Promise<PackedManifest | undefined>;
  /**
   * Returns the newest manifest of a unit in any pack. It lists the packs, and reads those that may have the unit.
   *
   * @throws UnreadableManifest
   */
  find(unit: string): Promise<PackedManifest | undefined>;
  /** Returns all manifests in a pack, in the order in which they were put. Those that cannot be read are left out. */
  readAll(key: string): Promise<PackedManifest[]>;
  /** Lists the keys of all packs, oldest first. */
  list(): AsyncIterable<ListedPack>;
  remove(key: string): Promise<void>;
}

export interface ListedPack {
  key: string;
  /** When it was stored, by the store's clock, in Unix milliseconds. */
  storedMs: number;
}

/** A manifest in a pack, and when that was stored, by the store's clock, in Unix milliseconds. */
export interface PackedManifest {
  manifest: Manifest;
  storedMs: number;
}

/** As many as the filter of a pack has room for in the metadata of an object. */
export const MAX_PACK_UNITS = 1000;
/** Larger packs would be slow to read for each message with a few of its units. */
const MAX_PACK_BYTES = 2 ** 20;
const PACK_KEY = new RegExp(`^${PACK_PREFIX}/\\d{13}-[0-9a-f]{12}\\.ndjson$`);
const FILTER_METADATA = 'units';
const CONTENT_TYPE = 'application/x-ndjson';
/** Jobs come in the order of their packs, so few are read at the same time. */
const PACKS_IN_MEMORY = 4;
const LOOKUP_CONCURRENCY = 32;

/** The lines of a pack by unit. */
interface OpenPack {
  storedMs: number;
  lines: ReadonlyMap<string, string>;
}

export function createPacks(store: VariantStore, sha256: Sha256): Packs {
  const opened = new LRUCache<string, Promise<OpenPack | undefined>>({ max: PACKS_IN_MEMORY });
  /** Those of the packs in the last listing. */
  let filters = new Map<string, Uint8Array | undefined>();

  /** One that is not there is looked for again: it may be looked for before it is stored. */
  async function open(key: string): Promise<OpenPack | undefined> {
    const known = opened.get(key);
    const pack = known && (await known);
    if (pack) return pack;
    const opening = store.get(key).then((object) => object && decodePack(object));
    opened.set(key, opening);
    const forget = () => {
      if (opened.peek(key) === opening) opened.delete(key);
    };
    opening.then((found) => found ?? forget(), forget);
    return await opening;
  }

  async function* list(): AsyncGenerator<ListedPack> {
    for await (const { key, modifiedMs } of store.list(PACK_PREFIX))
      if (PACK_KEY.test(key)) yield { key, storedMs: modifiedMs };
  }

  /** Packs are never changed, so only those are looked at that are new since the last listing. */
  const listFilters = shareCalls(async () => {
    const listed: string[] = [];
    for await (const { key } of list()) listed.push(key);
    const entries = await pMap(
      listed,
      async (key): Promise<[string, Uint8Array | undefined]> => {
        if (filters.has(key)) return [key, filters.get(key)];
        return [key, decodeFilter((await store.head(key))?.metadata[FILTER_METADATA])];
      },
      { concurrency: LOOKUP_CONCURRENCY },
    );
    filters = new Map(entries);
    return filters;
  });

  async function read(key: string, unit: string): Promise<PackedManifest | undefined> {
    if (!PACK_KEY.test(key)) return undefined;
    const pack = await open(key);
    const line = pack?.lines.get(unit);
    return pack && line !== undefined
      ? { manifest: parseManifest(line), storedMs: pack.storedMs }
      : undefined;
  }

  return {
    newKey: (nowMs) =>
      `${PACK_PREFIX}/${String(Math.round(nowMs)).padStart(13, '0')}-${randomBytes(6).toString('hex')}.ndjson`,
    async put(key, manifests) {
      const filter = encodeFilter(
        manifests.map(({ id }) => id),
        sha256,
      );
      const body = manifests.map((manifest) => `${JSON.stringify(manifest)}\n`).join('');
      const info = { contentType: CONTENT_TYPE, metadata: { [FILTER_METADATA]: filter } };
      await store.put(key, new TextEncoder().encode(body), info);
    },
    read,
    async find(unit) {
      const unitHash = sha256(unit);
      const candidates = [...(await listFilters())].flatMap(([key, filter]) =>
        mayHave(filter, unitHash) ? [key] : [],
      );
      const found = await pMap(candidates, (key) => read(key, unit), { concurrency: LOOKUP_CONCURRENCY });
      return found.reduce(
        (newest, one) => (one && (!newest || isNewer(one, newest)) ? one : newest),
        undefined,
      );
    },
    async readAll(key) {
      const pack = await open(key);
      return [...(pack?.lines.values() ?? [])].flatMap((line) => {
        try {
          return [{ manifest: parseManifest(line), storedMs: pack?.storedMs ?? 0 }];
        } catch {
          return [];
        }
      });
    },
    list,
    async remove(key) {
      await store.delete([key]);
    },
  };
}

/**
 * Returns whether a manifest was stored later than another one, by the store's clock. S3 gives whole seconds: of two within one, the clocks
 * of those who received the units decide.
 */
export function isNewer(one: PackedManifest, other: PackedManifest): boolean {
  if (one.storedMs !== other.storedMs) return one.storedMs > other.storedMs;
  return one.manifest.receivedAt > other.manifest.receivedAt;
}

/** Divides manifests into packs, each of at most `MAX_PACK_UNITS` and about a mebibyte; a large one has its own. */
export function divideIntoPacks(manifests: readonly Manifest[]): Manifest[][] {
  const packs: Manifest[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const manifest of manifests) {
    const size = sizeOf(manifest);
    const last = packs.at(-1);
    if (!last || bytes + size > MAX_PACK_BYTES || last.length === MAX_PACK_UNITS) {
      packs.push([manifest]);
      bytes = size;
    } else {
      last.push(manifest);
      bytes += size;
    }
  }
  return packs;
}

/** About how many bytes a manifest takes. */
function sizeOf({ images }: Manifest): number {
  const OTHERS = 300;
  return images.reduce((sum, { src, name = '' }) => sum + src.length + name.length + 20, OTHERS);
}

/** Lines that are not JSON, of a damaged pack, are left out. */
function decodePack({ body, modifiedMs = 0 }: StoredObject): OpenPack {
  const lines = new Map<string, string>();
  for (const line of new TextDecoder().decode(body).split('\n')) {
    const unit = unitOf(line);
    if (unit !== undefined) lines.set(unit, line);
  }
  return { storedMs: modifiedMs, lines };
}

function unitOf(line: string): string | undefined {
  try {
    const { id } = JSON.parse(line);
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
