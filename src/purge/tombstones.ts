import { type Sha256, TOMBSTONE_PREFIX, unitAddress } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';

/** When units were last purged, so that work which began before leaves nothing behind, in whatever process it runs. */
export interface Tombstones {
  /**
   * Marks a unit as purged now.
   *
   * @param afterMs - a time that the mark has to be later than, by whatever clock that was told; Unix milliseconds
   * @returns the time of the mark, in Unix milliseconds: never before that of an earlier one that it finds
   */
  mark(unit: string, afterMs: number): Promise<number>;
  /** When the unit was last purged, in Unix milliseconds; `undefined`: not within living memory. */
  read(unit: string): Promise<number | undefined>;
  /** All marks, in the order of their keys, by what a listing tells: there may be millions. */
  list(): AsyncIterable<ListedTombstone>;
  /** Which unit a mark is about; `undefined`: it is gone. */
  unitOf(mark: ListedTombstone): Promise<string | undefined>;
  /** Removes a mark. */
  forget(mark: ListedTombstone): Promise<void>;
}

export interface ListedTombstone {
  key: string;
  /** When it was put, by the store's clock, in Unix milliseconds. */
  createdAtMs: number;
  /** Whether nothing can need it any more. */
  isOld: boolean;
}

/** A message can wait for 14 days in SQS; nothing else that began before a purge lasts longer. */
const LIFETIME_MS = 15 * 24 * 60 * 60 * 1000;
/** A mark whose put takes longer may land over that of a later purge, and is put again with the time that it is then. */
const QUICK_PUT_MS = 250;
const MAX_PUTS = 5;

/** @param nowMs - the time, in Unix milliseconds; the clocks of all processes should agree to well below a second */
export function createTombstones(store: VariantStore, sha256: Sha256, nowMs: () => number): Tombstones {
  async function read(unit: string): Promise<number | undefined> {
    const object = await store.get(unitAddress(unit, sha256).tombstoneKey);
    const time = object && Date.parse(new TextDecoder().decode(object.body));
    return Number.isNaN(time) ? undefined : time;
  }

  async function put(unit: string, timeMs: number): Promise<void> {
    const body = new TextEncoder().encode(new Date(timeMs).toISOString());
    await store.put(unitAddress(unit, sha256).tombstoneKey, body, {
      contentType: 'text/plain',
      // The key has only its hash.
      metadata: { unit },
    });
  }

  return {
    read,
    async mark(unit, afterMs) {
      const earliestMs = Math.max(afterMs, (await read(unit)) ?? 0) + 1;
      for (let puts = 1; ; puts++) {
        const timeMs = Math.max(nowMs(), earliestMs);
        const start = performance.now();
        await put(unit, timeMs);
        if (performance.now() - start < QUICK_PUT_MS || puts === MAX_PUTS) return timeMs;
      }
    },
    async *list() {
      for await (const { key, modifiedMs } of store.list(TOMBSTONE_PREFIX)) {
        yield { key, createdAtMs: modifiedMs, isOld: modifiedMs < nowMs() - LIFETIME_MS };
      }
    },
    unitOf: async ({ key }) => (await store.head(key))?.metadata['unit'],
    forget: ({ key }) => store.delete([key]),
  };
}

/**
 * When the work that put an object of a unit began, in Unix milliseconds, by which it is known whether a purge was meant for it.
 * `undefined`: it is gone, or older than this rule.
 */
export async function startedAtMsOf(store: VariantStore, key: string): Promise<number | undefined> {
  const said = key.endsWith('.json') ? await beganOfRecord(store, key) : await beganOfVariant(store, key);
  const startedAtMs = Date.parse(String(said));
  return Number.isNaN(startedAtMs) ? undefined : startedAtMs;
}

async function beganOfVariant(store: VariantStore, key: string): Promise<unknown> {
  return (await store.head(key))?.metadata['began'];
}

/** Of a manifest or a source record. */
async function beganOfRecord(store: VariantStore, key: string): Promise<unknown> {
  const object = await store.get(key);
  try {
    const { receivedAt, lastAttempt } = JSON.parse(new TextDecoder().decode(object?.body));
    return receivedAt ?? lastAttempt;
  } catch {
    return undefined;
  }
}
