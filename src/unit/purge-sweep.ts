import type { ListedObject, VariantStore } from '../store/store.ts';
import { type Sha256, unitAddress } from '../variant/key.ts';
import type { PurgeMarks } from './purge-marks.ts';

/**
 * Removes what work that began before a purge puts after it: the other half of purging. Purge marks, then deletes; a writer puts,
 * then looks; so that one of the two sees the other. What a writer leaves that dies between its put and its look is found by the
 * next sweep.
 */
export interface PurgeSweep {
  /**
   * The look after a put. When it cannot be known whether the unit was purged it was, since what is taken back is only made again.
   *
   * @param beganMs - when the work began, in Unix milliseconds
   * @param keys - what it put
   * @returns whether that was taken back
   */
  afterPut(unit: string, beganMs: number, keys: readonly string[]): Promise<boolean>;
  /** Removes what of a unit began before it was last purged. */
  sweepUnit(unit: string): Promise<void>;
  /** Sweeps all units that were purged since the last time, and as long before as work can take; forgets marks that are too old. */
  sweep(): Promise<void>;
}

export interface PurgeSweepOptions {
  store: VariantStore;
  marks: PurgeMarks;
  sha256: Sha256;
  nowMs: () => number;
  /** Is told of each fault that nobody else hears of. */
  report: (operation: 'get' | 'delete', key: string, fault: unknown) => void;
}

/** Longer than any one piece of work takes: a Lambda lives for fifteen minutes. */
const LONGEST_WORK_MS = 60 * 60 * 1000;
/** When the last sweep was. */
const LAST_SWEEP_KEY = 'swept.json';

export function createPurgeSweep({ store, marks, sha256, nowMs, report }: PurgeSweepOptions): PurgeSweep {
  async function sweepUnit(unit: string): Promise<void> {
    const purgedMs = await marks.read(unit);
    if (purgedMs === undefined) return;
    for await (const object of store.list(unitAddress(unit, sha256).folder)) {
      const beganMs = await beganMsOf(store, object);
      // What does not say when it began is older than this rule.
      if (beganMs === undefined || beganMs <= purgedMs) await store.delete([object.key]);
    }
  }

  async function isPurgedSince(unit: string, beganMs: number): Promise<boolean> {
    const purgedMs = await marks.read(unit);
    return purgedMs !== undefined && beganMs <= purgedMs;
  }

  return {
    sweepUnit,
    async afterPut(unit, beganMs, keys) {
      try {
        if (!(await isPurgedSince(unit, beganMs))) return false;
        // Not simply its own keys: whoever began after the purge may have put the same since.
        await sweepUnit(unit);
      } catch (fault) {
        const { markKey, folder } = unitAddress(unit, sha256);
        report('get', markKey, fault);
        await store.delete(keys).catch((second: unknown) => report('delete', folder, second));
      }
      return true;
    },
    async sweep() {
      const startMs = nowMs();
      const lastMs = await readLastSweep(store);
      let swept = 0;
      for await (const unit of marks.unitsMarkedSince(lastMs - LONGEST_WORK_MS)) {
        await sweepUnit(unit);
        swept++;
      }
      await marks.forgetOld();
      if (swept === 0) return;
      const body = new TextEncoder().encode(JSON.stringify({ at: new Date(startMs).toISOString() }));
      await store.put(LAST_SWEEP_KEY, body, { contentType: 'application/json' });
    },
  };
}

/** When the work that put an object began, in Unix milliseconds. */
async function beganMsOf(store: VariantStore, { key }: ListedObject): Promise<number | undefined> {
  const said = key.endsWith('.json') ? await beganOfRecord(store, key) : await beganOfVariant(store, key);
  const beganMs = Date.parse(String(said));
  return Number.isNaN(beganMs) ? undefined : beganMs;
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

/** In Unix milliseconds; 0 when there was none. */
async function readLastSweep(store: VariantStore): Promise<number> {
  const object = await store.get(LAST_SWEEP_KEY);
  try {
    return Date.parse(JSON.parse(new TextDecoder().decode(object?.body)).at) || 0;
  } catch {
    return 0;
  }
}
