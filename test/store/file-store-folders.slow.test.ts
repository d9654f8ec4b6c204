import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, symlink, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { filesIn, makeFolder, tempFilesIn, writeByHand } from '../support/store/folder.ts';
import { expectStored } from '../support/store/stored.ts';

const AVIF = { contentType: 'image/avif' };
const UNIT = 'v1/aa/unit';

let root: string;
let store: VariantStore;
beforeEach(async () => {
  root = join(await makeFolder(), 'data');
  store = createFileStore({ root });
});

describe('a delete in a folder', () => {
  test('removes the folders that it empties, up to the root', async () => {
    const keys = ['a/1.avif', 'a/2.avif', 'b/c/d/e', 'manifest.json'].map((name) => `${UNIT}/${name}`);
    for (const key of keys) await store.put(key, Buffer.from('x'), AVIF);
    await store.delete(keys);
    expect(await readdir(root)).toEqual(['.tmp']);
    await store.delete(['top', 'gone/x']);
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test('leaves the folders that are in use', async () => {
    await store.put(`${UNIT}/a/1.avif`, Buffer.from('x'), AVIF);
    await store.put(`${UNIT}/b/1.avif`, Buffer.from('x'), AVIF);
    await store.put('v1/aa/unit-2/a/1.avif', Buffer.from('x'), AVIF);
    await store.delete([`${UNIT}/a/1.avif`]);
    expect(await readdir(join(root, UNIT))).toEqual(['b']);
    await store.delete([`${UNIT}/b/1.avif`]);
    expect(await readdir(join(root, 'v1/aa'))).toEqual(['unit-2']);
  });

  test('removes folders that were empty before', async () => {
    await mkdir(join(root, UNIT, 'a'), { recursive: true });
    await store.delete([`${UNIT}/a/b/1.avif`]);
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test('makes the name of an emptied folder free for an object', async () => {
    await store.put('a/b/c', Buffer.from('x'), AVIF);
    await store.delete(['a/b/c']);
    await store.put('a', Buffer.from('x'), AVIF);
    await expectStored(store, 'a', Buffer.from('x'), AVIF);
  });
});

describe('a listing of a folder', () => {
  test('includes damaged files and links, so that a purge removes them', async () => {
    await store.put(`${UNIT}/cut.avif`, Buffer.from('x'), AVIF);
    await truncate(join(root, `${UNIT}/cut.avif`), 20);
    await writeByHand(root, `${UNIT}/empty.avif`, '');
    await writeByHand(root, `${UNIT}/hand.txt`, 'by hand');
    await symlink('nowhere', join(root, UNIT, 'link'));
    const names = ['cut.avif', 'empty.avif', 'hand.txt', 'link'];
    const keys = await keysIn(UNIT);
    expect(keys).toEqual(names.map((name) => `${UNIT}/${name}`));
    await store.delete(keys);
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test('follows no link, and a delete removes only the link', async () => {
    const outside = join(dirname(root), 'outside');
    await writeByHand(outside, 'folder/file', 'precious');
    await mkdir(join(root, UNIT), { recursive: true });
    await symlink(join(outside, 'folder'), join(root, UNIT, 'folder'));
    await symlink(join(outside, 'folder/file'), join(root, UNIT, 'file'));
    await symlink('.', join(root, UNIT, 'itself'));
    const keys = await keysIn(UNIT);
    expect(keys).toEqual([`${UNIT}/file`, `${UNIT}/folder`, `${UNIT}/itself`]);
    await store.delete(keys);
    expect(await readdir(root)).toEqual(['.tmp']);
    expect(await readFile(join(outside, 'folder/file'), 'utf8')).toBe('precious');
  });

  test('leaves out files without a valid key, and empty folders', async () => {
    for (const name of ['a b', 'é', 'x y/z', 'a\nb', 'ours']) await writeByHand(root, `${UNIT}/${name}`, '');
    await mkdir(join(root, UNIT, 'empty/empty'), { recursive: true });
    expect(await keysIn(UNIT)).toEqual([`${UNIT}/ours`]);
  });

  test('continues when the folder is removed meanwhile', async () => {
    for (const name of ['a/1', 'a/2', 'b/1', 'c']) await writeByHand(root, `${UNIT}/${name}`, '');
    const keys: string[] = [];
    for await (const { key } of store.list(UNIT)) {
      keys.push(key);
      await rm(join(root, UNIT), { recursive: true, force: true });
    }
    expect(keys).toEqual([`${UNIT}/a/1`]);
  });

  test('continues when a folder that it has read becomes a file', async () => {
    for (const name of ['a/1', 'b/1', 'c/1/2']) await writeByHand(root, `${UNIT}/${name}`, '');
    const keys: string[] = [];
    for await (const { key } of store.list(UNIT)) {
      keys.push(key);
      await rm(join(root, UNIT, 'b'), { recursive: true, force: true });
      await writeByHand(root, `${UNIT}/b`, '');
    }
    expect(keys).toEqual([`${UNIT}/a/1`, `${UNIT}/c/1/2`]);
  });

  test('lets other work of the process run while it reads names, and while it stats files', async () => {
    for (let index = 0; index < 200; index += 1) await writeByHand(root, `${UNIT}/${index}`, '');
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    onTestFinished(() => clearImmediate(next));
    const turnsAt: number[] = [];
    for await (const _ of store.list(UNIT)) turnsAt.push(turns);
    expect(turnsAt[0]).toBeGreaterThan(1);
    expect(turnsAt.at(-1)).toBeGreaterThan((turnsAt[0] ?? 0) + 1);
  });
});

describe('a put into a folder that others empty at the same time', () => {
  test('succeeds, and what is put after they are done stays', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `${UNIT}/${index % 3}/${index}.avif`);
    for (let round = 0; round < 30; round += 1) {
      const deletes = [store.delete(keys), purge(), store.delete(keys)];
      const puts = keys.map((key) => store.put(key, Buffer.from('x'), AVIF));
      await Promise.all([...deletes, ...puts]);
      await store.put(`${UNIT}/0/last.avif`, Buffer.from('x'), AVIF);
      await expectStored(store, `${UNIT}/0/last.avif`, Buffer.from('x'), AVIF);
    }
  });

  test.each([
    ['variant', 'a/1.avif', 100, AVIF],
    ['record', 'source.json', 20, { contentType: 'application/json' }],
  ])('succeeds for a %s when the others are processes', async (_, name, puts, info) => {
    const key = `${UNIT}/${name}`;
    const others = await Promise.all([startDeleting(key), startDeleting(key)]);
    for (let count = 0; count < puts; count += 1) await store.put(key, Buffer.from('{}'), info);
    for (const other of others) {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    await store.put(key, Buffer.from('{}'), info);
    await expectStored(store, key, Buffer.from('{}'), info);
    expect(await filesIn(root)).toEqual([key]);
    expect(await tempFilesIn(root)).toEqual([]);
  });
});

async function keysIn(folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(folder)) keys.push(key);
  return keys;
}

async function purge(): Promise<void> {
  await store.delete(await keysIn(UNIT));
}

async function startDeleting(key: string) {
  const script = join(import.meta.dirname, '../support/store/delete-forever.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, root, UNIT, key], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Otherwise it would outlive a test that fails.
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}
