import type { VariantStore } from '../store/store.ts';
import { type Sha256, unitAddress } from '../variant/key.ts';

/** When units were last purged, so that work which began before leaves nothing behind, in whatever process it runs. */
export interface PurgeMarks {
  /**
   * Marks a unit as purged now.
   *
   * @returns the time, in Unix milliseconds
   */
  mark(unit: string): Promise<number>;
  /** When the unit was last purged, in Unix milliseconds; `undefined`: not within living memory. */
  read(unit: string): Promise<number | undefined>;
  /** The units that were marked at or after a time (Unix milliseconds, by the store's clock). */
  unitsMarkedSince(sinceMs: number): AsyncIterable<string>;
  /** Removes the marks that nothing can need any more. */
  forgetOld(): Promise<void>;
}

/** A message can wait for 14 days in SQS; nothing else that began before a purge lasts longer. */
const LIFETIME_MS = 15 * 24 * 60 * 60 * 1000;
const FOLDER = 'purged';

/** @param nowMs - the time, in Unix milliseconds; the clocks of all processes should agree to well below a second */
export function createPurgeMarks(store: VariantStore, sha256: Sha256, nowMs: () => number): PurgeMarks {
  async function read(unit: string): Promise<number | undefined> {
    const object = await store.get(unitAddress(unit, sha256).markKey);
    const time = object && Date.parse(new TextDecoder().decode(object.body));
    return Number.isNaN(time) ? undefined : time;
  }

  return {
    read,
    async mark(unit) {
      const time = nowMs();
      const body = new TextEncoder().encode(new Date(time).toISOString());
      await store.put(unitAddress(unit, sha256).markKey, body, {
        contentType: 'text/plain',
        // The key has only its hash.
        metadata: { unit },
      });
      return time;
    },
    async *unitsMarkedSince(sinceMs) {
      for await (const { key, modifiedMs } of store.list(FOLDER)) {
        const unit = modifiedMs < sinceMs ? undefined : (await store.head(key))?.metadata['unit'];
        if (unit !== undefined) yield unit;
      }
    },
    async forgetOld() {
      for await (const { key, modifiedMs } of store.list(FOLDER)) {
        if (modifiedMs < nowMs() - LIFETIME_MS) await store.delete([key]);
      }
    },
  };
}
