import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ListedObject, VariantStore } from '../../src/store/store.ts';
import { expectStored } from '../support/store/stored.ts';

const TEXT = { contentType: 'text/plain' };
/** More than S3 lists or deletes in one call. */
const MANY = 1_100;

/** The tests of listing and of deleting many objects. */
export function describeListing(store: () => VariantStore, { propertyRuns }: { propertyRuns: number }): void {
  describeList(store);
  describeMany(store);

  test('after any puts and deletes, a folder lists what is left below it in the order of bytes', async () => {
    const property = fc.asyncProperty(anySteps, anyFolders, async (steps, below) => {
      const unit = randomUUID();
      const model = new Set<string>();
      for (const step of steps) await applyStep(step, unit, store(), model);
      const folder = [unit, ...below].join('/');
      const expected = [...model].filter((key) => key.startsWith(`${folder}/`));
      expect(await keysIn(store(), folder)).toEqual(inByteOrder(expected));
      for (const after of [...expected.slice(0, 3), `${folder}/a`, `${folder}/b/c`]) {
        const later = expected.filter((key) => key > after);
        expect(await keysIn(store(), folder, after)).toEqual(inByteOrder(later));
      }
    });
    await fc.assert(property, { numRuns: propertyRuns });
  });
}

function describeList(store: () => VariantStore): void {
  test('a folder lists everything below it, and nothing of folders whose names start with its name', async () => {
    const unit = `v1/00/${randomUUID()}`;
    const within = ['manifest.json', 'a/1080-balanced.avif', 'a/source.json', 'b/c/d/e'];
    await putAll(store(), unit, within);
    await putAll(store(), '', [`${unit}0/x`, `${unit}.x`, `${unit}-1/x`, `${unit}.d/${unit}/x`, `${unit}~`]);
    expect(await keysIn(store(), unit)).toEqual(inByteOrder(within.map((key) => `${unit}/${key}`)));
  });

  test('a listed object has about its length, and the time at which it was put', async () => {
    const folder = randomUUID();
    // S3 gives whole seconds.
    const startedAtMs = Date.now() - 1000;
    await store().put(`${folder}/x`, new Uint8Array(70_000), TEXT);
    const [found, ...more] = await list(store(), folder);
    expect(more).toEqual([]);
    expect(found?.bytes).toBeGreaterThanOrEqual(70_000);
    expect(found?.bytes).toBeLessThan(71_000);
    expect(found?.modifiedMs).toBeGreaterThan(startedAtMs);
    expect(found?.modifiedMs).toBeLessThanOrEqual(Date.now());
  });

  test('a folder that does not exist lists nothing, nor does the key of an object', async () => {
    const folder = randomUUID();
    await putAll(store(), folder, ['x']);
    expect(await keysIn(store(), `${folder}/x`)).toEqual([]);
    expect(await keysIn(store(), `${folder}/y/z`)).toEqual([]);
    expect(await keysIn(store(), randomUUID())).toEqual([]);
  });

  test('objects are listed in the order of whole keys, not of the names in a folder', async () => {
    const folder = randomUUID();
    const ordered = ['a-b/x', 'a.x', 'a/x', 'a/y/z', 'a0', 'aA/x', 'a~/x', 'b'];
    await putAll(store(), folder, ordered.toReversed());
    expect(await keysIn(store(), folder)).toEqual(ordered.map((key) => `${folder}/${key}`));
  });

  test.each(['', '/', 'a/', '/a', '.', '..', 'a/../b', 'a//b', 'a b', 'ä', '.tmp', '.tmp/x', '.TMP'])(
    'listing the folder %j throws a TypeError',
    async (folder) => {
      await expect(list(store(), folder)).rejects.toThrow(TypeError);
    },
  );
}

function describeMany(store: () => VariantStore): void {
  test('more objects than S3 takes in one call can be listed, listed in part, and deleted', async () => {
    const folder = `v1/00/${randomUUID()}`;
    const names = Array.from({ length: MANY }, (_, index) => `${index % 7}/${index}.avif`);
    await putAll(store(), folder, names);
    const keys = inByteOrder(names.map((name) => `${folder}/${name}`));
    expect(await keysIn(store(), folder)).toEqual(keys);

    for (const count of [1, 500, MANY - 1]) {
      const some: string[] = [];
      for await (const { key } of store().list(folder)) {
        some.push(key);
        if (some.length === count) break;
      }
      expect(some).toEqual(keys.slice(0, count));
    }

    const kept = keys.splice(700, 1);
    await store().delete([...keys, ...keys.slice(0, 5), `${folder}/none`, `${randomUUID()}/none`]);
    expect(await keysIn(store(), folder)).toEqual(kept);
    for (const key of [keys[0], keys.at(-1)]) {
      expect(await store().get(key ?? '')).toBeUndefined();
      expect(await store().head(key ?? '')).toBeUndefined();
    }
    await expectStored(store(), kept[0] ?? '', Buffer.from('x'), TEXT);
  });

  test('objects can be deleted while they are listed', async () => {
    const folder = randomUUID();
    await putAll(store(), folder, ['a/1', 'a/2', 'b/1', 'c']);
    let seen = 0;
    for await (const { key } of store().list(folder)) {
      await store().delete([key]);
      seen += 1;
    }
    expect(seen).toBe(4);
    expect(await keysIn(store(), folder)).toEqual([]);
  });

  test('deleting no keys is no error', async () => {
    await expect(store().delete([])).resolves.toBeUndefined();
  });

  test('a delete with one invalid key throws a TypeError and deletes nothing', async () => {
    const folder = randomUUID();
    await putAll(store(), folder, ['x']);
    await expect(store().delete([`${folder}/x`, `${folder}/../y`])).rejects.toThrow(TypeError);
    expect(await keysIn(store(), folder)).toEqual([`${folder}/x`]);
  });
}

/** Few names, so that they often coincide; their characters sort on both sides of the slash. */
const anyName = fc.stringMatching(/^[a.~0-]{1,2}$/).filter((name) => name !== '.' && name !== '..');
const anyFolders = fc.array(anyName, { maxLength: 2 });
/** An object is never the folder of another: a file system cannot have both. */
const anyKey = fc.tuple(anyFolders, anyName).map(([folders, name]) => [...folders, `${name}x`].join('/'));
const anyKeys = fc.array(anyKey, { minLength: 1, maxLength: 8 });
const anySteps = fc.array(fc.record({ puts: fc.boolean(), keys: anyKeys }), { maxLength: 5 });

interface Step {
  puts: boolean;
  keys: string[];
}

/** Does the same to a store and to a set. */
async function applyStep(
  { puts, keys }: Step,
  unit: string,
  store: VariantStore,
  model: Set<string>,
): Promise<void> {
  const whole = keys.map((key) => `${unit}/${key}`);
  if (puts) {
    await putAll(store, unit, keys);
    for (const key of whole) model.add(key);
  } else {
    await store.delete(whole);
    for (const key of whole) model.delete(key);
  }
}

async function putAll(store: VariantStore, folder: string, names: readonly string[]): Promise<void> {
  const left = [...new Set(names)];
  const putSome = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      await store.put(folder === '' ? name : `${folder}/${name}`, Buffer.from('x'), TEXT);
    }
  };
  await Promise.all(Array.from({ length: 50 }, putSome));
}

async function list(store: VariantStore, folder: string, after?: string): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  for await (const object of store.list(folder, after)) found.push(object);
  return found;
}

async function keysIn(store: VariantStore, folder: string, after?: string): Promise<string[]> {
  return (await list(store, folder, after)).map(({ key }) => key);
}

function inByteOrder(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
