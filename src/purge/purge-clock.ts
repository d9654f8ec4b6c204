import { PURGE_CLOCK_KEY } from '../protocol/keys.ts';
import { parseTime } from '../protocol/work-start.ts';
import { shareCalls } from '../share-calls.ts';
import type { VariantStore } from '../store/store.ts';
import type { Tombstones } from './tombstones.ts';

/**
 * The time of the last purge of any unit: a hybrid logical clock, as the tombstones of one unit are, in one object. No tombstone has a later
 * time once its purge is over. So whoever submits a thousand units reads this instead of their tombstones: those that are purged afterwards
 * get later ones.
 */
export interface PurgeClock {
  /** Returns the time of the last purge, in Unix milliseconds; 0: there was none in the last 15 days. */
  read(): Promise<number>;
  /** Returns a time for a purge, later than that of every earlier one. Calls at the same time may share one. */
  tick(): Promise<number>;
  /** Makes sure that the clock shows this time, or a later one. */
  raise(timeMs: number): Promise<void>;
}

/** Each failed attempt means that another process has purged at that moment. */
const MAX_ATTEMPTS = 50;

/** @param nowMs - in Unix milliseconds, by the clock of this machine, which may be wrong */
export function createPurgeClock(store: VariantStore, nowMs: () => number): PurgeClock {
  async function readVersion(): Promise<{ etag: string | undefined; timeMs: number }> {
    const object = await store.get(PURGE_CLOCK_KEY);
    return { etag: object?.etag, timeMs: (object && parseTime(new TextDecoder().decode(object.body))) ?? 0 };
  }

  /** Compare and swap, until the clock shows a time that is late enough. */
  async function advance(from: (timeMs: number) => number): Promise<number> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const found = await readVersion();
      const timeMs = from(found.timeMs);
      if (timeMs <= found.timeMs) return found.timeMs;
      const body = new TextEncoder().encode(new Date(timeMs).toISOString());
      if (await store.replace(PURGE_CLOCK_KEY, found.etag, body, { contentType: 'text/plain' }))
        return timeMs;
    }
    throw new Error('the time of the last purge could not be stored: it was changed at every attempt');
  }

  return {
    read: async () => (await readVersion()).timeMs,
    tick: shareCalls(() => advance((timeMs) => Math.max(Math.round(nowMs()), timeMs + 1))),
    async raise(timeMs) {
      await advance((shownMs) => Math.max(timeMs, shownMs));
    },
  };
}

/**
 * Returns tombstones of which each moves the clock: none has a later time than the clock shows when its `put` resolves. The tombstone before is
 * read before the clock is moved, which may take long: a unit that is sent again after another purge in between stays.
 */
export function keepTime(
  { put, read }: Pick<Tombstones, 'put' | 'read'>,
  clock: PurgeClock,
): Pick<Tombstones, 'put' | 'read'> {
  return {
    read,
    async put(unit, startedMs) {
      let clockMs = 0;
      const tombstone = await put(unit, async () => {
        clockMs = await clock.tick();
        return Math.max(typeof startedMs === 'number' ? startedMs : await startedMs(), clockMs);
      });
      // Of another purge at the same time, or after one by a wrong clock.
      if (tombstone.timeMs > clockMs) await clock.raise(tombstone.timeMs);
      return tombstone;
    },
  };
}
