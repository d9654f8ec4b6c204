import { describe, expect, it } from 'vitest';
import type { Cdn } from '../../src/cdn/cdn.ts';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { createPurge } from '../../src/purge/purge.ts';
import { createPurgeSweep } from '../../src/purge/sweep.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { keysOfUnits } from '../support/unit/held.ts';

const DAY_MS = 86_400_000;
const ANY = { contentType: 'image/avif' };

/** A folder, a clock, and all that purges in it, which notes what it does. */
async function setUp(wrap: (store: VariantStore) => VariantStore = (store) => store) {
  const folder = await temporaryFolder();
  const steps: string[] = [];
  const clock = { ms: Date.parse('2026-01-01T00:00:00Z') };
  const real = wrap(createFileStore({ root: folder }));
  const store: VariantStore = {
    ...real,
    put: (key, ...rest) => {
      steps.push(`put ${key.split('/')[0]}`);
      return real.put(key, ...rest);
    },
    delete: (keys) => {
      steps.push(`delete ${keys.length}`);
      return real.delete(keys);
    },
  };
  const cdn: Cdn = {
    invalidate: async (tags) => {
      steps.push(`invalidate ${tags.join(' ')}`);
      return [{ id: 'I1', tags: tags.length }];
    },
    wait: async () => {},
    close: () => {},
  };
  const nowMs = () => clock.ms;
  const tombstones = createTombstones(store, sha256, nowMs);
  const sweep = createPurgeSweep({
    ...{ store, tombstones, sha256, nowMs },
    invalidate: (tag) => steps.push(`invalidate ${tag}`),
    report: (_operation, key) => steps.push(`report ${key}`),
  });
  const purge = createPurge({ store, tombstones, cdn, sha256, nowMs });
  const fill = async (unit: string, count: number, began?: number) => {
    for (let number = 0; number < count; number++) {
      const key = `${unitAddress(unit, sha256).folder}/${'a'.repeat(32)}/${number + 1}-high.avif`;
      const metadata = began === undefined ? {} : { began: new Date(began).toISOString() };
      await real.put(key, new Uint8Array(100), { ...ANY, metadata });
    }
  };
  return { folder, store, steps, clock, tombstones, sweep, purge, fill };
}

describe('a purge', () => {
  it('marks, then deletes a thousand at a time, then invalidates, and says what went', async () => {
    const { steps, purge, fill, folder } = await setUp();
    await fill('unit-1', 1001);
    await fill('unit-10', 1);
    expect(await purge(['unit-1'])).toEqual({
      units: [
        { id: 'unit-1', purgedAt: '2026-01-01T00:00:00.000Z', objects: 1001, bytes: expect.any(Number) },
      ],
      invalidations: [{ id: 'I1', tags: 1 }],
    });
    const tag = `u-${sha256('unit-1').slice(0, 32)}`;
    expect(steps).toEqual(['put purged', 'delete 1000', 'delete 1', `invalidate ${tag}`]);
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/unit-10/')]);
  });

  it('leaves a mark that says when, outside the unit', async () => {
    const { purge, store } = await setUp();
    await purge(['unit-1']);
    const mark = await store.get(`purged/${sha256('unit-1').slice(0, 32)}`);
    expect(new TextDecoder().decode(mark?.body)).toBe('2026-01-01T00:00:00.000Z');
  });

  it('of many units asks the CDN once, for each of them once', async () => {
    const { purge, fill, steps, folder } = await setUp();
    await fill('a', 2);
    await fill('b', 3);
    const { units } = await purge(['a', 'b', 'a', 'unknown']);
    expect(units.map(({ id, objects }) => [id, objects])).toEqual([
      ['a', 2],
      ['b', 3],
      ['unknown', 0],
    ]);
    const [invalidated] = steps.filter((step) => step.startsWith('invalidate'));
    expect(invalidated?.split(' ')).toHaveLength(4);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('that is only tried changes nothing', async () => {
    const { purge, fill, steps, folder } = await setUp();
    await fill('a', 2);
    expect(await purge(['a'], { dryRun: true })).toMatchObject({
      units: [{ id: 'a', objects: 2 }],
      invalidations: [],
    });
    expect(steps).toEqual([]);
    expect(await keysOfUnits(folder)).toHaveLength(2);
  });

  it('that fails for one unit still has the CDN forget the others, and fails', async () => {
    const { purge, fill, steps } = await setUp((store) => ({
      ...store,
      delete: async (keys) => {
        if (keys.some((key) => key.includes('/stuck/'))) throw new Error('access denied');
        await store.delete(keys);
      },
    }));
    await fill('stuck', 1);
    await fill('fine', 1);
    await expect(purge(['stuck', 'fine'])).rejects.toThrow('access denied');
    expect(steps).toContain(`invalidate u-${sha256('fine').slice(0, 32)}`);
  });
});

describe('a sweep', () => {
  it('removes what began before its unit was purged, and what does not say when, but nothing else', async () => {
    const { purge, fill, sweep, clock, folder } = await setUp();
    await purge(['a']);
    await fill('a', 1, clock.ms - 1000);
    await fill('b', 1, clock.ms - 1000);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/b/')]);
    await fill('a', 1, clock.ms + 1);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toHaveLength(2);
    await fill('a', 1);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/b/')]);
  });

  it('forgets marks once no message can be that old', async () => {
    const { purge, sweep, clock, tombstones } = await setUp();
    clock.ms = Date.now();
    await purge(['a']);
    clock.ms += 14 * DAY_MS;
    await sweep.sweep();
    expect(await tombstones.read('a')).toBeDefined();
    clock.ms += 2 * DAY_MS;
    await sweep.sweep();
    expect(await tombstones.read('a')).toBeUndefined();
  });

  it('that has no time left goes on the next time where it was, and misses nothing', async () => {
    const stop = new AbortController();
    let removed = 0;
    const { purge, fill, sweep, clock, folder } = await setUp((store) => ({
      ...store,
      delete: async (keys) => {
        removed += keys.length;
        stop.abort();
        await store.delete(keys);
      },
    }));
    const units = Array.from({ length: 200 }, (_, index) => `unit-${index}`);
    clock.ms = Date.now();
    await purge(units);
    // What was left behind by work that died, while the purge was under way.
    for (const unit of units) await fill(unit, 1, clock.ms - 1000);
    await sweep.sweep(stop.signal);
    // Those that had begun; the next begins where it stopped.
    expect(removed).toBeGreaterThan(0);
    expect(removed).toBeLessThan(150);
    clock.ms += 60_000;
    await sweep.sweep();
    expect([removed, await keysOfUnits(folder)]).toEqual([200, []]);
    // All is behind it: nothing of that is looked at for ever.
    clock.ms += DAY_MS;
    await sweep.sweep();
    await fill('unit-0', 1, clock.ms - 2 * DAY_MS);
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toHaveLength(1);
  });

  it('that may begin nothing leaves all to the next', async () => {
    const { purge, fill, sweep, clock, folder } = await setUp();
    clock.ms = Date.now();
    await purge(['a']);
    await fill('a', 1, clock.ms - 1000);
    await sweep.sweep(AbortSignal.abort());
    expect(await keysOfUnits(folder)).toHaveLength(1);
    await sweep.sweep(AbortSignal.abort());
    await sweep.sweep();
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('writes nothing where nothing was ever purged', async () => {
    const { sweep, steps } = await setUp();
    await sweep.sweep();
    expect(steps).toEqual([]);
  });
});
