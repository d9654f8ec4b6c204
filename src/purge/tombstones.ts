import { PURGE_CLOCK_KEY, type Sha256, TOMBSTONE_PREFIX, unitAddress } from '../protocol/keys.ts';
import { TOMBSTONE_METADATA } from '../protocol/metadata.ts';
import { parseTime } from '../protocol/work-start.ts';
import type { VariantStore } from '../store/store.ts';

/**
 * The marks of purges. A unit's tombstone has a time, and each purge of the unit replaces it by one with a later time: so the time counts
 * the unit's purges, whatever the clocks say (a hybrid logical clock). A writer reads the tombstone when it begins and after its put, in
 * whatever process it runs: another tombstone means that the unit was purged meanwhile.
 */
export interface Tombstones {
  /**
   * Records that a unit was purged. If another purge of it stores its tombstone meanwhile, that one counts for both: whatever began before
   * this purge began before that tombstone.
   *
   * @param nowMs - in Unix milliseconds, by the clock of this machine, which may be wrong. A function is called once the tombstone before has been
   *   read: of a purge that stores another one meanwhile, that counts for both
   * @returns the tombstone that is there now
   * @throws Error when other programs changed the tombstone at every attempt
   */
  put(unit: string, nowMs: number | (() => Promise<number>)): Promise<Tombstone>;
  /** Returns the time of the unit's tombstone, in Unix milliseconds; `undefined`: not purged in the last 15 days. */
  read(unit: string): Promise<number | undefined>;
  /** Lists all tombstones, in the order of their keys, as the store lists them: there may be millions. */
  list(): AsyncIterable<ListedTombstone>;
  /** Returns the unit of a tombstone; `undefined` when the tombstone has been removed. */
  unitOf(tombstone: ListedTombstone): Promise<string | undefined>;
  /** Removes an expired tombstone, unless the unit has been purged again since it was listed. */
  removeExpired(tombstone: ListedTombstone): Promise<void>;
}

export interface Tombstone {
  /** In Unix milliseconds: later than that of every earlier tombstone of the unit. */
  timeMs: number;
  /** When it was stored, by the store's clock, in Unix milliseconds; `undefined` when the store does not say. */
  storedAtMs: number | undefined;
}

export interface ListedTombstone {
  key: string;
  /** When it was stored, by the store's clock, in Unix milliseconds. */
  createdAtMs: number;
  /** Whether all work that started before the purge must have ended by now. */
  isExpired: boolean;
}

/** A message can stay in SQS for 14 days, longer than any other work that began before a purge. */
const LIFETIME_MS = 15 * 24 * 60 * 60 * 1000;
/** Each failed attempt means that the tombstone was removed meanwhile, or replaced by one that cannot be read, or is being written. */
const MAX_ATTEMPTS = 50;

/** @param nowMs - the time, in Unix milliseconds: it only decides when a tombstone has expired */
export function createTombstones(store: VariantStore, sha256: Sha256, nowMs: () => number): Tombstones {
  const keyOf = (unit: string) => unitAddress(unit, sha256).tombstoneKey;
  const isExpired = (storedAtMs: number) => storedAtMs < nowMs() - LIFETIME_MS;

  async function readVersion(key: string) {
    const object = await store.get(key);
    if (!object) return undefined;
    const timeMs = parseTime(new TextDecoder().decode(object.body));
    return { etag: object.etag, timeMs, storedAtMs: object.modifiedMs };
  }

  return {
    async put(unit, startedAt) {
      const key = keyOf(unit);
      const info = { contentType: 'text/plain', metadata: { [TOMBSTONE_METADATA.unit]: unit } };
      let found = await readVersion(key);
      const firstMs = found?.timeMs ?? 0;
      const startedMs = typeof startedAt === 'number' ? startedAt : await startedAt();
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const timeMs = Math.max(startedMs, firstMs + 1);
        const body = new TextEncoder().encode(new Date(timeMs).toISOString());
        // Compare and swap: the time only ever increases. It also makes the bodies differ, and so the ETags.
        if (await store.replace(key, found?.etag, body, info))
          return { timeMs, storedAtMs: (await store.head(key))?.modifiedMs };
        found = await readVersion(key);
        if (found?.timeMs !== undefined && found.timeMs > firstMs)
          return { timeMs: found.timeMs, storedAtMs: found.storedAtMs };
      }
      throw new Error(`the tombstone of unit ${unit} could not be stored: it was changed at every attempt`);
    },
    read: async (unit) => (await readVersion(keyOf(unit)))?.timeMs,
    async *list() {
      for await (const { key, modifiedMs } of store.list(TOMBSTONE_PREFIX)) {
        if (key === PURGE_CLOCK_KEY) continue;
        yield { key, createdAtMs: modifiedMs, isExpired: isExpired(modifiedMs) };
      }
    },
    unitOf: async ({ key }) => (await store.head(key))?.metadata[TOMBSTONE_METADATA.unit],
    async removeExpired({ key, createdAtMs }) {
      const found = await readVersion(key);
      if (isExpired(found?.storedAtMs ?? createdAtMs)) await store.deleteIfMatch(key, found?.etag);
    },
  };
}
