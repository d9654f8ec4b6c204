import { mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as keys from '../../src/protocol/keys.ts';
import { createFileAges } from '../../src/store/file-ages.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { StoreUpkeep, VariantStore } from '../../src/store/store.ts';
import { filesIn, makeFolder } from '../support/store/folder.ts';

const DAY_MS = 86_400_000;
const AVIF = { contentType: 'image/avif' };
const JSON_TYPE = { contentType: 'application/json' };

/** Units are spread over shards, as in a real store. */
const imageKey = (unit: number, name = '160-high.avif') =>
  `v1/${(unit % 256).toString(16).padStart(2, '0')}/unit-${unit}/${'a'.repeat(32)}/${name}`;
const manifestKey = (unit: number) => imageKey(unit).replace(/\/a{32}.*/, '/manifest.json');

/** Makes a file look as if it had last been used so many days ago. */
async function age(root: string, key: string, days: number): Promise<void> {
  const at = new Date(Date.now() - days * DAY_MS);
  await utimes(join(root, key), at, at);
}

async function putAged(store: VariantStore, root: string, key: string, days: number, bytes = 8000) {
  await store.put(key, new Uint8Array(bytes), key.endsWith('.json') ? JSON_TYPE : AVIF);
  await age(root, key, days);
}

/** Runs the upkeep until a condition holds. */
async function keepUntil(upkeep: StoreUpkeep | undefined, isDone: () => boolean | Promise<boolean>) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const errors: unknown[] = [];
  const running = upkeep?.run(stop.signal, (error) => errors.push(error));
  await expect.poll(isDone, { timeout: 20_000, interval: 20 }).toBe(true);
  stop.abort();
  await running;
  expect(errors).toEqual([]);
}

const isKnown = (upkeep: StoreUpkeep | undefined) => () => upkeep?.usage() !== undefined;

describe('a folder with a limit on its size', () => {
  const MAX_BYTES = 1_000_000;

  it('is brought below it, and what was not used for longest goes first', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    for (let unit = 0; unit < 200; unit++) await putAged(store, root, imageKey(unit), 400 - 2 * unit);
    await keepUntil(upkeep, () => (upkeep?.usage()?.objects ?? 200) < 110);
    const left = await filesIn(root);
    const usage = upkeep?.usage();
    expect(usage?.objects).toBe(left.length);
    expect(usage?.bytes).toBeLessThanOrEqual(0.9 * MAX_BYTES);
    expect(usage?.bytes).toBeGreaterThan(0.8 * MAX_BYTES);
    // The newest, but for the two that are hardly older than one which goes.
    const newest = Array.from({ length: left.length - 4 }, (_, index) => imageKey(199 - index));
    expect(left).toEqual(expect.arrayContaining(newest));
    expect(upkeep?.removed()).toMatchObject({ age: { objects: 0 }, size: { objects: 200 - left.length } });
    // Nothing is left of a unit that has nothing left.
    const units = await readdir(join(root, 'v1'), { recursive: true });
    expect(units.filter((name) => name.endsWith('unit-0'))).toEqual([]);
  });

  it('keeps everything while it has less', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    for (let unit = 0; unit < 100; unit++) await putAged(store, root, imageKey(unit), 300);
    await keepUntil(upkeep, isKnown(upkeep));
    expect(upkeep?.usage()).toMatchObject({ objects: 100 });
    expect(await filesIn(root)).toHaveLength(100);
  });

  it('counts and keeps what every part of the store has that is neither image, manifest nor tombstone', async () => {
    const root = await makeFolder();
    const { SMOKE_PREFIX: inBucketsOnly, VARIANT_PREFIX, TOMBSTONE_PREFIX, ...others } = keys;
    const prefixes = Object.entries(others).flatMap(([name, value]) =>
      name.endsWith('_PREFIX') ? [String(value)] : [],
    );
    const notes = prefixes.map((prefix) => `${prefix}/folder/note.json`);
    const store = createFileStore({ root });
    for (const key of [...notes, imageKey(1)]) await putAged(store, root, key, 400);
    // As after a start: nothing is known but what the walk finds.
    const { upkeep } = createFileStore({ root, maxBytes: MAX_BYTES, maxAgeMs: DAY_MS });
    await keepUntil(upkeep, isKnown(upkeep));
    expect(await filesIn(root)).toEqual(expect.arrayContaining(notes));
    expect(upkeep?.removed().age.objects).toBe(1);
    expect(upkeep?.usage()?.objects).toBe(notes.length);
  });

  it('is watched for what this process and others store later', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    const other = createFileStore({ root });
    for (let unit = 0; unit < 100; unit++) await putAged(store, root, imageKey(unit), 300);
    const stop = new AbortController();
    const running = upkeep?.run(stop.signal, () => {});
    onTestFinished(() => stop.abort());
    await expect.poll(isKnown(upkeep), { timeout: 10_000 }).toBe(true);
    for (let unit = 100; unit < 130; unit++) {
      await (unit % 2 ? store : other).put(imageKey(unit), new Uint8Array(8000), AVIF);
    }
    await expect.poll(() => upkeep?.usage()?.objects, { timeout: 20_000 }).toBeLessThan(110);
    stop.abort();
    await running;
    const left = await filesIn(root);
    for (let unit = 100; unit < 130; unit++) expect(left).toContain(imageKey(unit));
  });

  it('removes manifests only when no images are left, oldest first, and never jobs or a unit of today', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    await putAged(store, root, imageKey(1), 1);
    for (let unit = 0; unit < 10; unit++) await putAged(store, root, manifestKey(unit), 100, 100_000);
    await putAged(store, root, manifestKey(20), 10, 100_000);
    await putAged(store, root, manifestKey(21), 0, 100_000);
    for (let job = 0; job < 5; job++) await putAged(store, root, `queue/${job}.json`, 500, 50_000);
    await putAged(store, root, 'purged/0123', 0, 100);
    await keepUntil(upkeep, () => (upkeep?.removed().size.objects ?? 0) > 6);
    const left = await filesIn(root);
    expect(left).not.toContain(imageKey(1));
    expect(left).toContain(manifestKey(20));
    expect(left).toContain(manifestKey(21));
    expect(left).toContain('purged/0123');
    expect(left.filter((key) => key.startsWith('queue/'))).toHaveLength(5);
    expect(left.filter((key) => key.endsWith('/manifest.json')).length).toBeLessThan(8);
  });

  it('is counted in small pieces, between which others get their turn', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    for (let unit = 0; unit < 100; unit++) await store.put(imageKey(unit), new Uint8Array(10), AVIF);
    let turns = 0;
    const countTurns = () => {
      turns += 1;
      if (!upkeep?.usage()) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    await keepUntil(upkeep, isKnown(upkeep));
    expect(turns).toBeGreaterThan(5);
  });

  it('does not walk for ever when nothing may be removed', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxBytes: MAX_BYTES });
    for (let job = 0; job < 20; job++) await putAged(store, root, `queue/${job}.json`, 500, 100_000);
    await keepUntil(upkeep, isKnown(upkeep));
    expect(await filesIn(root)).toHaveLength(20);
  });

  it('does not follow links out of the folder', async () => {
    const [root, outside] = [await makeFolder(), await makeFolder()];
    await writeFile(join(outside, 'precious.avif'), new Uint8Array(2_000_000));
    await mkdir(dirname(join(root, imageKey(1))), { recursive: true });
    await symlink(outside, join(root, imageKey(1)));
    const { upkeep } = createFileStore({ root, maxBytes: MAX_BYTES, maxAgeMs: 1 });
    await keepUntil(upkeep, isKnown(upkeep));
    expect(await filesIn(outside)).toEqual(['precious.avif']);
  });
});

describe('a folder with a limit on the age', () => {
  it('loses what was not used for so long, a manifest once its unit has nothing else, and keeps jobs and tombstones', async () => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxAgeMs: 30 * DAY_MS });
    const days = {
      [imageKey(1)]: 32,
      // It may have been used since: that is noted once a day.
      [imageKey(2)]: 30.5,
      [imageKey(3, '320-high.avif')]: 32,
      [imageKey(3)]: 1,
    };
    for (const [key, count] of Object.entries(days)) await putAged(store, root, key, count);
    for (const unit of [1, 2, 3]) await putAged(store, root, manifestKey(unit), 60);
    await putAged(store, root, manifestKey(4), 29);
    await putAged(store, root, 'purged/0123', 60);
    await putAged(store, root, 'queue/1.json', 60);
    await keepUntil(upkeep, isKnown(upkeep));
    expect(await filesIn(root)).toEqual(
      [
        ...[imageKey(2), imageKey(3), manifestKey(2), manifestKey(3), manifestKey(4)],
        ...['purged/0123', 'queue/1.json'],
      ].sort(),
    );
    expect(upkeep?.removed()).toMatchObject({ age: { objects: 3 }, size: { objects: 0 } });
  });

  it.each([
    ['read from the disk', 1],
    ['read from memory', 2],
  ])('keeps what is asked for, %s', async (_name, reads) => {
    const root = await makeFolder();
    const { upkeep, ...store } = createFileStore({ root, maxAgeMs: 30 * DAY_MS });
    await putAged(store, root, imageKey(1), 31);
    if (reads === 2) {
      // In memory from now on.
      await expect
        .poll(async () => (await store.get(imageKey(1))) && store.peek?.(imageKey(1)))
        .toBeDefined();
      await age(root, imageKey(1), 31);
      await expect
        .poll(async () => (await store.get(imageKey(1))) && store.peek?.(imageKey(1)))
        .toBeDefined();
    } else {
      await store.get(imageKey(1));
    }
    await keepUntil(upkeep, isKnown(upkeep));
    expect(await filesIn(root)).toEqual([imageKey(1)]);
  });

  it('notes the use of a file once a day, and changes nothing else about it', async () => {
    const root = await makeFolder();
    const store = createFileStore({ root, maxAgeMs: 30 * DAY_MS });
    await putAged(store, root, imageKey(1), 31);
    const before = await stat(join(root, imageKey(1)));
    await store.get(imageKey(1));
    const noted = await stat(join(root, imageKey(1)));
    expect(noted.mtimeMs).toBeCloseTo(before.mtimeMs, 2);
    expect(noted.atimeMs).toBeGreaterThan(before.atimeMs + 30 * DAY_MS);
    await store.get(imageKey(1));
    expect((await stat(join(root, imageKey(1)))).ctimeMs).toBe(noted.ctimeMs);
  });
});

describe('the ages of files', () => {
  const anyFiles = fc.array(
    fc.record({ ageS: fc.nat(100_000_000), bytes: fc.integer({ min: 1, max: 1e6 }) }),
    {
      minLength: 1,
      maxLength: 50,
    },
  );

  it('give a cutoff that frees enough, and hardly more than is needed', () => {
    const NOW_MS = 1_800_000_000_000;
    const property = fc.property(anyFiles, fc.double({ min: 0.01, max: 1, noNaN: true }), (files, share) => {
      const ages = createFileAges(NOW_MS);
      for (const { ageS, bytes } of files) ages.add(NOW_MS - ageS * 1000, bytes);
      const wanted = ages.bytes() * share;
      const cutoffMs = ages.cutoff(wanted);
      const freed = files.filter(({ ageS }) => NOW_MS - ageS * 1000 <= cutoffMs);
      expect(sum(freed)).toBeGreaterThanOrEqual(wanted);
      // Without those within a step of the youngest that goes, it would not be enough.
      const youngestS = Math.min(...freed.map(({ ageS }) => ageS));
      const older = freed.filter(({ ageS }) => ageS > (youngestS + 1) * 1.05);
      expect(sum(older)).toBeLessThan(wanted);
    });
    fc.assert(property);
  });

  it('give a cutoff before everything when nothing has to go, and after everything when all is too little', () => {
    const ages = createFileAges(0);
    ages.add(-5000, 10);
    expect(ages.cutoff(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(ages.cutoff(11)).toBe(Number.POSITIVE_INFINITY);
  });
});

function sum(files: readonly { bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
