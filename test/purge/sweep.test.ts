import { describe, expect, it } from 'vitest';
import { setUpPurging } from '../support/purge/purging.ts';
import { keysOfUnits } from '../support/store/held-store.ts';

const DAY_MS = 86_400_000;
/** Work that saw no tombstone when it began, though its clock was ahead. */
const BEFORE = { atMs: Date.parse('2100-01-01T00:00:00Z'), lastPurgeMs: 0 };

describe('a sweep', () => {
  it('removes what started before its unit was purged, and keeps what started later and other units', async () => {
    const { purge, putVariants, sweep, folder } = await setUpPurging();
    await purge(['a']);
    await putVariants('a', 1, BEFORE);
    await putVariants('b', 1, BEFORE);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/b/')]);
    await putVariants('a', 1, await sweep.beginWork('a'));
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toHaveLength(2);
  });

  it('removes what does not say when its work started', async () => {
    const { purge, putVariants, sweep, folder } = await setUpPurging();
    await purge(['a']);
    await putVariants('a', 1);
    await putVariants('b', 1);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/b/')]);
  });

  it('goes by the clock for what an earlier version stored', async () => {
    const { purge, putVariants, sweep, clock, folder } = await setUpPurging();
    await purge(['a', 'b']);
    await putVariants('a', 1, { atMs: clock.ms, lastPurgeMs: undefined });
    await putVariants('b', 1, { atMs: clock.ms + 1, lastPurgeMs: undefined });
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/b/')]);
  });

  it('sweeps everything when its last one was by a clock that was ahead', async () => {
    const { purge, putVariants, sweep, clock, folder } = await setUpPurging();
    clock.ms = Date.now() + 365 * DAY_MS;
    await purge(['b']);
    await sweep.sweep();
    clock.ms = Date.now();
    await purge(['a']);
    await putVariants('a', 1, BEFORE);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('removes tombstones once no message can be that old', async () => {
    const { purge, sweep, clock, tombstones } = await setUpPurging();
    clock.ms = Date.now();
    await purge(['a']);
    clock.ms += 14 * DAY_MS;
    await sweep.sweep();
    expect(await tombstones.read('a')).toBeDefined();
    clock.ms += 2 * DAY_MS;
    await sweep.sweep();
    expect(await tombstones.read('a')).toBeUndefined();
  });

  it('continues where its predecessor was interrupted, and misses nothing', async () => {
    const stop = new AbortController();
    let removed = 0;
    const { purge, putVariants, sweep, clock, folder } = await setUpPurging((store) => ({
      ...store,
      deleteIfMatch: async (key, etag) => {
        removed++;
        stop.abort();
        await store.deleteIfMatch(key, etag);
      },
    }));
    const units = Array.from({ length: 200 }, (_, index) => `unit-${index}`);
    clock.ms = Date.now();
    await purge(units);
    // Left behind by writers that died during the purge.
    for (const unit of units) await putVariants(unit, 1, BEFORE);
    await sweep.sweep(stop.signal);
    // Only the units that were in progress.
    expect(removed).toBeGreaterThan(0);
    expect(removed).toBeLessThan(150);
    clock.ms += 60_000;
    await sweep.sweep();
    expect([removed, await keysOfUnits(folder)]).toEqual([200, []]);
  });

  it('does not look again at units whose purge is older than any work', async () => {
    const { purge, putVariants, sweep, clock, folder } = await setUpPurging();
    clock.ms = Date.now();
    await purge(['a']);
    clock.ms += DAY_MS;
    await sweep.sweep();
    await putVariants('a', 1, BEFORE);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toHaveLength(1);
  });

  it('leaves everything to the next sweep if it is aborted before it starts', async () => {
    const { purge, putVariants, sweep, clock, folder } = await setUpPurging();
    clock.ms = Date.now();
    await purge(['a']);
    await putVariants('a', 1, BEFORE);
    await sweep.sweep(AbortSignal.abort());
    expect(await keysOfUnits(folder)).toHaveLength(1);
    await sweep.sweep(AbortSignal.abort());
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('writes nothing when no unit was ever purged', async () => {
    const { sweep, steps } = await setUpPurging();
    await sweep.sweep();
    expect(steps).toEqual([]);
  });
});
