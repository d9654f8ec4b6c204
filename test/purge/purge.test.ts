import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { createPurge, UnmarkedPurge, UnstartedPurge } from '../../src/purge/purge.ts';
import { createPurgeClock, keepTime } from '../../src/purge/purge-clock.ts';
import { setUpPurging } from '../support/purge/purging.ts';
import { keysOfUnits } from '../support/store/held-store.ts';

const DAY_MS = 86_400_000;

describe('a purge', () => {
  it('stores the tombstone, deletes a thousand objects per call, invalidates, and returns what it deleted', async () => {
    const { steps, purge, putVariants, folder } = await setUpPurging((store) => ({
      ...store,
      // As if everything had been stored long ago.
      async *list(below) {
        for await (const object of store.list(below)) yield { ...object, modifiedMs: 0 };
      },
    }));
    await putVariants('unit-1', 1001);
    await putVariants('unit-10', 1);
    const tag = `u-${sha256('unit-1').slice(0, 32)}`;
    const purged = { id: 'unit-1', purgedAt: '2026-01-01T00:00:00.000Z', cacheTag: tag, objects: 1001 };
    expect(await purge(['unit-1'])).toEqual({
      units: [{ ...purged, bytes: expect.any(Number) }],
      invalidations: [{ id: 'I1', tags: 1 }],
    });
    expect(steps).toEqual(['put purged', 'delete 1000', 'delete 1', `invalidate ${tag}`]);
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('/unit-10/')]);
  });

  it('leaves a tombstone with its time outside the unit’s folder', async () => {
    const { purge, store } = await setUpPurging();
    await purge(['unit-1']);
    const tombstone = await store.get(`purged/${sha256('unit-1').slice(0, 32)}`);
    expect(new TextDecoder().decode(tombstone?.body)).toBe('2026-01-01T00:00:00.000Z');
  });

  it('keeps a unit that is sent again after another purge, while it waits at the clock of purges', async () => {
    const { clock, store, tombstones, purge, putManifest, folder } = await setUpPurging();
    const nowMs = () => clock.ms;
    const steady = createPurgeClock(store, nowMs);
    const slow = {
      ...steady,
      async tick() {
        const timeMs = await steady.tick();
        await purge(['unit-1']);
        await putManifest('unit-1');
        return timeMs;
      },
    };
    await putManifest('unit-1');
    const cdn = { invalidate: async () => [], wait: async () => {}, close: () => {} };
    const slowPurge = createPurge({ store, cdn, sha256, nowMs, tombstones: keepTime(tombstones, slow) });
    await slowPurge(['unit-1']);
    expect(await keysOfUnits(folder)).toEqual([expect.stringContaining('manifest.json')]);
  });

  it('deletes objects that do not say when their work started', async () => {
    const { purge, putVariants, folder } = await setUpPurging();
    await putVariants('a', 2);
    await purge(['a']);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('deletes what saw an earlier tombstone or none, whatever the clocks said', async () => {
    const { purge, putVariants, clock, tombstones, folder } = await setUpPurging();
    await purge(['a']);
    const lastPurgeMs = (await tombstones.read('a')) ?? 0;
    clock.ms -= DAY_MS;
    await putVariants('a', 1, { atMs: clock.ms + 365 * DAY_MS, lastPurgeMs: 0 });
    await putVariants('a', 2, { atMs: clock.ms - DAY_MS, lastPurgeMs });
    expect(await purge(['a'])).toMatchObject({ units: [{ objects: 2 }] });
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it.each([-DAY_MS, 0, DAY_MS])(
    'keeps what saw its tombstone, though a clock is %i ms ahead',
    async (aheadMs) => {
      const { purge, putVariants, clock, tombstones, folder } = await setUpPurging((files) => ({
        ...files,
        async *list(below) {
          await putVariants('a', 1, { atMs: clock.ms + aheadMs, lastPurgeMs: await tombstones.read('a') });
          yield* files.list(below);
        },
      }));
      expect(await purge(['a'])).toMatchObject({ units: [{ objects: 0 }] });
      expect(await keysOfUnits(folder)).toHaveLength(1);
    },
  );

  it('deletes what saw the tombstone of a wrong clock that has expired since', async () => {
    const { purge, putVariants, clock, folder } = await setUpPurging();
    await putVariants('a', 2, { atMs: clock.ms, lastPurgeMs: clock.ms + 365 * DAY_MS });
    await purge(['a']);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('keeps what saw the tombstone of a later purge', async () => {
    const laterMs = Date.parse('2026-01-01T00:00:01Z');
    const { purge, putVariants, tombstones, folder } = await setUpPurging((files) => ({
      ...files,
      async *list(below) {
        await tombstones.put('a', laterMs);
        await putVariants('a', 1, { atMs: 0, lastPurgeMs: laterMs });
        yield* files.list(below);
      },
    }));
    await purge(['a']);
    expect(await keysOfUnits(folder)).toHaveLength(1);
  });

  it('deletes what an earlier version stored, though its clock was ahead', async () => {
    const { purge, putVariants, clock, folder } = await setUpPurging();
    await putVariants('a', 2, { atMs: clock.ms + DAY_MS, lastPurgeMs: undefined });
    await purge(['a']);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  describe('whose tombstone cannot be stored', () => {
    const diskFull = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });

    it('deletes first, which makes room, then stores the tombstone and deletes again', async () => {
      let isFull = true;
      const { purge, putVariants, steps, folder } = await setUpPurging((files) => ({
        ...files,
        async replace(...args) {
          if (isFull) throw diskFull();
          return await files.replace(...args);
        },
        async delete(keys) {
          isFull = false;
          await files.delete(keys);
        },
        async *list(below) {
          // A writer that began before is done between the two deletions.
          if (!isFull) await putVariants('a', 1, { atMs: 0, lastPurgeMs: 0 });
          yield* files.list(below);
        },
      }));
      await putVariants('a', 3);
      expect(await purge(['a'])).toMatchObject({ units: [{ objects: 4 }] });
      expect(steps.slice(0, 4)).toEqual(['put purged', 'delete 3', 'put purged', 'delete 1']);
      expect(await keysOfUnits(folder)).toEqual([]);
    });

    it('removes nothing if there is room: a unit that is sent meanwhile would be lost', async () => {
      let isBroken = true;
      const { purge, putVariants, steps, folder } = await setUpPurging((files) => ({
        ...files,
        async replace(...args) {
          if (isBroken)
            throw Object.assign(new Error('AccessDenied'), { $metadata: { httpStatusCode: 403 } });
          return await files.replace(...args);
        },
      }));
      await putVariants('a', 2);
      const purging = purge(['a', 'b']);
      await expect(purging).rejects.toThrow(/unit a: nothing was removed, .*AccessDenied/);
      await expect(purging).rejects.toBeInstanceOf(UnstartedPurge);
      expect(steps.filter((step) => /^(delete|invalidate .)/.test(step))).toEqual([]);
      expect(await keysOfUnits(folder)).toHaveLength(2);
      isBroken = false;
      expect(await purge(['a'])).toMatchObject({ units: [{ objects: 2 }] });
    });

    it('says so, deletes all the same, and invalidates, if the disk stays full', async () => {
      const { purge, putVariants, steps, folder } = await setUpPurging((files) => ({
        ...files,
        replace: async () => {
          throw diskFull();
        },
      }));
      await putVariants('a', 2);
      const purging = purge(['a']);
      await expect(purging).rejects.toThrow(/unit a: 2 objects were deleted, but the tombstone .*ENOSPC/);
      await expect(purging).rejects.toBeInstanceOf(UnmarkedPurge);
      expect(await keysOfUnits(folder)).toEqual([]);
      expect(steps.at(-1)).toBe(`invalidate u-${sha256('a').slice(0, 32)}`);
    });
  });

  it.each([
    ['is damaged', '{"images":'],
    ['has no time', '{}'],
    ['is empty', ''],
  ])('deletes a manifest that %s', async (_name, body) => {
    const { purge, store, folder } = await setUpPurging();
    const { manifestKey } = unitAddress('a', sha256);
    await store.put(manifestKey, Buffer.from(body), { contentType: 'application/json' });
    await purge(['a']);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('keeps a unit that is submitted again after another purge has removed the listed manifest', async () => {
    const purging = await setUpPurging((store) => ({
      ...store,
      async *list(below) {
        for await (const object of store.list(below)) {
          await store.delete([object.key]);
          yield object;
          purging.clock.ms += 1;
          await purging.putManifest('a');
        }
      },
    }));
    await purging.putManifest('a');
    await purging.purge(['a']);
    expect(await keysOfUnits(purging.folder)).toEqual([unitAddress('a', sha256).manifestKey]);
  });

  it('invalidates the tags of many units in one call, each tag once', async () => {
    const { purge, putVariants, steps, folder } = await setUpPurging();
    await putVariants('a', 2);
    await putVariants('b', 3);
    const { units } = await purge(['a', 'b', 'a', 'unknown']);
    expect(units.map(({ id, objects }) => [id, objects])).toEqual([
      ['a', 2],
      ['b', 3],
      ['unknown', 0],
    ]);
    const [invalidation] = steps.filter((step) => step.startsWith('invalidate'));
    expect(invalidation?.split(' ')).toHaveLength(4);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('only counts objects in a dry run, and changes nothing', async () => {
    const { purge, putVariants, putManifest, steps, folder } = await setUpPurging();
    await putVariants('a', 2);
    await putManifest('a');
    expect(await purge(['a'], { dryRun: true })).toMatchObject({
      units: [{ id: 'a', objects: 3 }],
      invalidations: [],
    });
    expect(steps).toEqual([]);
    expect(await keysOfUnits(folder)).toHaveLength(3);
  });

  it('invalidates the units that it could purge, and throws, when one of them fails', async () => {
    const failIfStuck = (keys: readonly string[]) => {
      if (keys.some((key) => key.includes('/stuck/'))) throw new Error('access denied');
    };
    const { purge, putVariants, steps } = await setUpPurging((store) => ({
      ...store,
      delete: async (keys) => {
        failIfStuck(keys);
        await store.delete(keys);
      },
      deleteIfMatch: async (key, etag) => {
        failIfStuck([key]);
        await store.deleteIfMatch(key, etag);
      },
    }));
    await putVariants('stuck', 1);
    await putVariants('fine', 1);
    await expect(purge(['stuck', 'fine'])).rejects.toThrow('access denied');
    expect(steps).toContain(`invalidate u-${sha256('fine').slice(0, 32)}`);
  });
});
