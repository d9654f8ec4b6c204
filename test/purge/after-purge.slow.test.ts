import { describe, expect, it, onTestFinished } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { startService, targetFor } from '../support/http/service.ts';
import { runProgram } from '../support/program.ts';
import {
  MANIFEST,
  type PurgeRace,
  prewarmOf,
  purgeAtStoreStep,
  requestOf,
  setUpRace,
  startHeldService,
  TOMBSTONE,
  UNIT,
  unitOf,
  VARIANT,
} from '../support/purge/race.ts';
import { createHold, holdStore, keysOfUnits, type StoreStep } from '../support/store/held-store.ts';

const DAY_MS = 86_400_000;
/** A clock that stands still gives everything the same time. */
const STILL_MS = Date.parse('2026-11-01T12:00:00Z');

async function expectReady({ other, origin }: PurgeRace, path: string): Promise<void> {
  const status = await other.unitServices.units.status(UNIT);
  expect(status?.images).toMatchObject([{ src: `${origin.url}${path}`, state: 'ready' }]);
}

describe('a purge', () => {
  it('lets a later request make the variant again and keep it', async () => {
    const step = { operation: 'put', key: VARIANT, when: 'after' } as const;
    const { folder, other, origin } = await purgeAtStoreStep(requestOf('/photo.jpg'), step);
    const cacheStatus = async () =>
      (await other.request(targetFor(`${origin.url}/photo.jpg`, { width: 160 }))).headers.get('cache-status');
    expect(await cacheStatus()).toBe('edgepress; fwd=miss; stored');
    expect(await cacheStatus()).toBe('edgepress; hit');
    expect(await keysOfUnits(folder)).toHaveLength(1);
  });

  it.each<[string, StoreStep]>([
    ['after the tombstone is stored', { operation: 'replace', key: TOMBSTONE, when: 'after' }],
    ['before the old manifest is deleted', { operation: 'deleteIfMatch', key: MANIFEST, when: 'before' }],
    ['after the old manifest is deleted', { operation: 'deleteIfMatch', key: MANIFEST, when: 'after' }],
  ])('keeps a unit that is sent again before the deletion has ended, %s', async (_name, step) => {
    const race = await setUpRace();
    await race.other.unitServices.units.submit(unitOf(race.origin, '/before.jpg'), { retry: false });
    const purger = await startHeldService(race, step);
    const purging = purger.unitServices.units.purge([UNIT]);
    await purger.hold.reached;
    await prewarmOf('/after.jpg')(race.other, race.origin);
    purger.hold.release();
    await purging;
    await expectReady(race, '/after.jpg');
  });

  it('keeps a unit that is sent again after another purge, while it is slow to store its own tombstone', async () => {
    const race = await setUpRace();
    await race.other.unitServices.units.submit(unitOf(race.origin, '/before.jpg'), { retry: false });
    const step = { operation: 'replace', key: TOMBSTONE, when: 'before' } as const;
    const slow = await startHeldService(race, step);
    const purging = slow.unitServices.units.purge([UNIT]);
    await slow.hold.reached;
    await race.purge();
    await prewarmOf('/after.jpg')(race.other, race.origin);
    slow.hold.release();
    await purging;
    await expectReady(race, '/after.jpg');
  });

  const clocks = [
    ['stands still', 0],
    ['is a day ahead', DAY_MS],
    ['is a day behind', -DAY_MS],
    ['is a year ahead', 365 * DAY_MS],
  ] as const;

  it.each(clocks)(
    'keeps a unit that is sent again although the clock of the purge %s',
    async (_name, aheadMs) => {
      const race = await setUpRace();
      const nowMs = () => STILL_MS + aheadMs;
      const purger = await startService(race.env, { nowMs });
      await purger.unitServices.units.purge([UNIT]);
      await prewarmOf('/photo.jpg')(await startService(race.env, { nowMs: () => STILL_MS }), race.origin);
      await expectReady(race, '/photo.jpg');
    },
  );

  it.each(clocks)('removes a unit although the clock of its sender %s', async (_name, aheadMs) => {
    const race = await setUpRace();
    const sender = await startService(race.env, { nowMs: () => STILL_MS + aheadMs });
    await prewarmOf('/photo.jpg')(sender, race.origin);
    await prewarmOf('/gone.jpg')(sender, race.origin);
    const purger = await startService(race.env, { nowMs: () => STILL_MS });
    await purger.unitServices.units.purge([UNIT]);
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });

  it('stores what is asked for after a purge of the future, and removes it at the next purge', async () => {
    const race = await setUpRace();
    const ahead = await startService(race.env, { nowMs: () => STILL_MS + 365 * DAY_MS });
    await ahead.unitServices.units.purge([UNIT]);
    const { request, unitServices } = await startService(race.env, { nowMs: () => STILL_MS });
    const target = targetFor(`${race.origin.url}/photo.jpg`, { width: 160 });
    const cacheStatus = async () => (await request(target)).headers.get('cache-status');
    expect([await cacheStatus(), await cacheStatus()]).toEqual([
      'edgepress; fwd=miss; stored',
      'edgepress; hit',
    ]);
    await unitServices.units.sweep();
    expect(await cacheStatus()).toBe('edgepress; hit');
    await unitServices.units.purge([UNIT]);
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });
});

describe('a submission that began before a purge', () => {
  it('removes its own objects, and keeps a unit that was sent after the purge', async () => {
    const race = await setUpRace();
    const early = await startHeldService(race, { operation: 'put', key: MANIFEST, when: 'after' });
    const submission = early.unitServices.units.submit(unitOf(race.origin, '/early.jpg'), { retry: false });
    await early.hold.reached;
    await race.purge();
    await prewarmOf('/later.jpg')(race.other, race.origin);
    early.hold.release();
    await submission;
    await expectReady(race, '/later.jpg');
  });

  it('keeps a unit that is sent again while it removes its own manifest', async () => {
    const race = await setUpRace();
    const files = createFileStore({ root: race.folder });
    const put = holdStore(files, { operation: 'put', key: MANIFEST, when: 'before' });
    const remove = holdStore(put.store, { operation: 'deleteIfMatch', key: MANIFEST, when: 'before' });
    const early = await startService(race.env, { store: remove.store, nowMs: race.nowMs });
    const submission = early.unitServices.units.submit(unitOf(race.origin, '/early.jpg'), { retry: false });
    await put.hold.reached;
    await race.purge();
    put.hold.release();
    await remove.hold.reached;
    await prewarmOf('/later.jpg')(race.other, race.origin);
    remove.hold.release();
    await submission;
    await expectReady(race, '/later.jpg');
  });
});

describe('an object of a process that dies between its put and its check of the tombstone', () => {
  it('is removed by the next sweep, and nothing else is', async () => {
    const { folder, env, origin, purge, other } = await setUpRace();
    const src = `${origin.url}/photo.jpg`;
    const writer = runProgram('test/support/purge/die-after-put.ts', [targetFor(src, { width: 160 })], env);
    await writer.printed(/putting/);
    await purge();
    const kept = await other.request(targetFor(src, { width: 320 }));
    expect(kept.status).toBe(200);
    writer.process.stdin?.write('go on\n');
    expect(await writer.ended).toBeNull();
    expect(await keysOfUnits(folder)).toHaveLength(2);
    const { units } = (await startService(env)).unitServices;
    await units.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringMatching(/320-balanced\.jpeg$/)]);
  });

  it('is removed when the message of its unit is delivered again', async () => {
    const race = await setUpRace();
    const { folder, env, origin, purge, other, nowMs } = race;
    const { units } = other.unitServices;
    const job = await units.submit(unitOf(origin, '/photo.jpg'), { retry: false });
    const step = { operation: 'put', key: VARIANT, when: 'before' } as const;
    const { store, hold } = holdStore(createFileStore({ root: folder }), step);
    // It stands for death: during this test the check, the second read of the tombstone, never ends.
    const check = createHold();
    let reads = 0;
    const dying: typeof store = {
      ...store,
      async get(key) {
        if (TOMBSTONE.test(key) && ++reads > 1) await check.pass();
        return await store.get(key);
      },
    };
    const writer = await startService(env, { store: dying, nowMs });
    onTestFinished(check.release);
    void writer.request(targetFor(`${origin.url}/photo.jpg`, { width: 160 }));
    await hold.reached;
    await purge();
    hold.release();
    await check.reached;
    expect(await keysOfUnits(folder)).toHaveLength(1);
    await units.prewarm(job, () => {});
    expect(await keysOfUnits(folder)).toEqual([]);
  });
});
