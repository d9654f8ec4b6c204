import { type Sha256, TOMBSTONE_PREFIX, unitAddress } from '../protocol/keys.ts';
import { TOMBSTONE_METADATA } from '../protocol/metadata.ts';
import type { VariantStore } from '../store/store.ts';

/**
 * When each unit was last purged. A writer reads the tombstone after its put, in whatever process it runs, and removes what it
 * stored if its work started at or before the tombstone's time. The time in a unit's tombstone only ever increases.
 */
export interface Tombstones {
  /**
   * Records that a unit was purged, unless its tombstone already has this time or a later one, from another purge.
   *
   * @param timeMs - when the purge began, in Unix milliseconds
   * @returns the time of the tombstone that is there now, in Unix milliseconds: `timeMs` or later
   * @throws Error when other purges of the same unit were faster at every attempt
   */
  put(unit: string, timeMs: number): Promise<number>;
  /** Returns when the unit was last purged, in Unix milliseconds; `undefined`: not in the last 15 days. */
  read(unit: string): Promise<number | undefined>;
  /** Lists all tombstones, in the order of their keys, as the store lists them: there may be millions. */
  list(): AsyncIterable<ListedTombstone>;
  /** Returns the unit of a tombstone; `undefined` when the tombstone has been removed. */
  unitOf(tombstone: ListedTombstone): Promise<string | undefined>;
  /** Removes an expired tombstone, unless the unit has been purged again since it was listed. */
  removeExpired(tombstone: ListedTombstone): Promise<void>;
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
/** At each failed attempt another purge of the same unit has stored its tombstone. */
const MAX_ATTEMPTS = 50;

/** @param nowMs - the time, in Unix milliseconds; the clocks of all processes should agree to well below a second */
export function createTombstones(store: VariantStore, sha256: Sha256, nowMs: () => number): Tombstones {
  const keyOf = (unit: string) => unitAddress(unit, sha256).tombstoneKey;

  async function readVersion(key: string): Promise<{ etag: string; timeMs: number | undefined } | undefined> {
    const object = await store.get(key);
    if (!object) return undefined;
    const timeMs = Date.parse(new TextDecoder().decode(object.body));
    return { etag: object.etag, timeMs: Number.isNaN(timeMs) ? undefined : timeMs };
  }

  return {
    async put(unit, timeMs) {
      const key = keyOf(unit);
      const body = new TextEncoder().encode(new Date(timeMs).toISOString());
      const info = { contentType: 'text/plain', metadata: { [TOMBSTONE_METADATA.unit]: unit } };
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const found = await readVersion(key);
        if (found?.timeMs !== undefined && found.timeMs >= timeMs) return found.timeMs;
        // Compare and swap: a slow put can never replace the tombstone of a later purge.
        if (await store.replace(key, found?.etag, body, info)) return timeMs;
      }
      throw new Error(`the tombstone of unit ${unit} could not be stored: too many concurrent purges of it`);
    },
    read: async (unit) => (await readVersion(keyOf(unit)))?.timeMs,
    async *list() {
      for await (const { key, modifiedMs } of store.list(TOMBSTONE_PREFIX)) {
        yield { key, createdAtMs: modifiedMs, isExpired: modifiedMs < nowMs() - LIFETIME_MS };
      }
    },
    unitOf: async ({ key }) => (await store.head(key))?.metadata[TOMBSTONE_METADATA.unit],
    async removeExpired({ key }) {
      const found = await readVersion(key);
      // A time far ahead is that of a wrong clock: it must not last any longer than others.
      const isRecent = found?.timeMs !== undefined && Math.abs(nowMs() - found.timeMs) <= LIFETIME_MS;
      if (!isRecent) await store.deleteIfMatch(key, found?.etag);
    },
  };
}
