import { pbkdf2, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { removeFile } from '../../src/store/atomic-write.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { filesIn, makeFolder, writeByHand } from '../support/store/folder.ts';
import { expectStored } from '../support/store/stored.ts';
import { describeStore } from './store-contract.ts';

const RECORD = { contentType: 'application/json' };
const KEY = 'v1/aa/unit/source/1080-balanced.avif';

let root: string;
let store: VariantStore;
beforeEach(async () => {
  root = join(await makeFolder(), 'data');
  store = createFileStore({ root });
});

describeStore('a folder', async () => createFileStore({ root: await makeFolder() }));

test('a put is not undone by the removal of the file that it replaces, however late that comes', async () => {
  await store.put(KEY, Buffer.from('old'), { contentType: 'image/avif' });
  // More than the thread pool does at a time, so that the removal waits for them.
  const busy = Array.from({ length: 130 }, () => promisify(pbkdf2)('', '', 10_000, 8, 'sha256'));
  const removing = removeFile(join(root, KEY));
  await store.put(KEY, Buffer.from('new'), { contentType: 'image/avif' });
  await Promise.all([removing, ...busy]);
  expect(String((await store.get(KEY))?.body)).toBe('new');
});

describe('the files of a file store', () => {
  test('include a record as a plain file that any tool reads', async () => {
    await store.put('v1/aa/unit/manifest.json', Buffer.from('{"images":[]}'), RECORD);
    expect(await filesIn(root)).toEqual(['v1/aa/unit/manifest.json']);
    expect(await readFile(join(root, 'v1/aa/unit/manifest.json'), 'utf8')).toBe('{"images":[]}');
  });

  test('are objects when they are records put there by hand', async () => {
    await writeByHand(root, 'v1/aa/unit/manifest.json', '{"by":"hand"}\n');
    await expectStored(store, 'v1/aa/unit/manifest.json', Buffer.from('{"by":"hand"}\n'), RECORD);
  });

  test('return a record unchanged even if it ends like the trailer of a variant', async () => {
    await store.put(KEY, randomBytes(50), { contentType: 'image/avif' });
    const body = await readFile(join(root, KEY));
    await store.put('record.json', body, RECORD);
    await expectStored(store, 'record.json', body, RECORD);
  });

  test.each(['avif', 'webp', 'jpeg', 'png', 'gif'] as const)(
    'are images that other programs open: .%s',
    async (format) => {
      const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
      const image = sharp({ create: { width: 64, height: 48, channels: 3, background: 'red', noise } });
      const body = await image.toFormat(format).toBuffer();
      const key = `v1/aa/unit/source/160-saver.${format}`;
      await store.put(key, body, { contentType: `image/${format}`, metadata: { width: '64' } });

      const path = join(root, key);
      expect((await readFile(path)).length).toBeGreaterThan(body.length);
      const pixelsOf = (input: string | Buffer) => sharp(input, { failOn: 'warning' }).raw().toBuffer();
      expect((await pixelsOf(path)).equals(await pixelsOf(body))).toBe(true);
    },
  );

  test('replace a symbolic link without touching its target', async () => {
    const outside = join(dirname(root), 'outside');
    await writeFile(outside, 'precious');
    await mkdir(dirname(join(root, KEY)), { recursive: true });
    await symlink(outside, join(root, KEY));
    await store.put(KEY, Buffer.from('x'), { contentType: 'image/avif' });
    expect(await readFile(outside, 'utf8')).toBe('precious');
    await expectStored(store, KEY, Buffer.from('x'), { contentType: 'image/avif' });
  });

  test('never lie outside its folder, whatever the key', async () => {
    for (const key of [
      '../escaped',
      'a/../../escaped',
      join(dirname(root), 'escaped'),
      '..',
      '../data/escaped',
    ]) {
      await expect(store.put(key, Buffer.from('x'), RECORD)).rejects.toThrow(TypeError);
    }
    expect(await readdir(dirname(root))).toEqual([basename(root)]);
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test.runIf(existsSync('/proc/self/io'))('are read only at their end by head', async () => {
    await store.put(KEY, randomBytes(5_000_000), { contentType: 'image/avif' });
    const before = bytesRead();
    await store.head(KEY);
    expect(bytesRead() - before).toBeLessThan(100_000);
  });
});

describe('a conditional delete in a folder', () => {
  test('leaves an object with another ETag', async () => {
    const { etag } = await store.put(KEY, Buffer.from('old'), { contentType: 'image/avif' });
    await store.put(KEY, Buffer.from('new'), { contentType: 'image/avif' });
    await store.deleteIfMatch(KEY, etag);
    await expectStored(store, KEY, Buffer.from('new'), { contentType: 'image/avif' });
  });

  test('removes the folders that it empties', async () => {
    const { etag } = await store.put(KEY, Buffer.from('x'), { contentType: 'image/avif' });
    await store.deleteIfMatch(KEY, etag);
    expect(await readdir(root)).toEqual(['.tmp']);
  });
});

describe('a file that is not a whole object', () => {
  const info = { contentType: 'image/avif', cacheControl: 'no-cache', metadata: { a: 'b' } };

  test('is a miss at whatever byte it was truncated', async () => {
    await store.put(KEY, randomBytes(40), info);
    const path = join(root, KEY);
    for (let length = (await readFile(path)).length - 1; length >= 0; length -= 1) {
      await truncate(path, length);
      expect(await store.get(KEY)).toBeUndefined();
      expect(await store.head(KEY)).toBeUndefined();
    }
  });

  test.each<[string, (file: Buffer) => Uint8Array]>([
    ['its first byte is missing', (file) => file.subarray(1)],
    ['it has an extra byte at its start', (file) => Buffer.concat([Buffer.from('x'), file])],
    ['it has an extra byte at its end', (file) => Buffer.concat([file, Buffer.from('x')])],
    ['it was put there by hand', () => Buffer.from('a picture')],
    ['its trailer is not JSON', (file) => Buffer.from(file.toString('latin1').replace('{', '['), 'latin1')],
    ['its trailer lacks a property', (file) => rename(file, 'contentType', 'contentTypo')],
    ['its trailer is longer than the file', (file) => file.fill(0xff, file.length - 12, file.length - 8)],
    ['its trailer starts with another length', (file) => file.fill(0xff, 5, 9)],
    ['its trailer is shorter than any', (file) => file.fill(0, file.length - 12, file.length - 8)],
  ])('is a miss when %s', async (_, damage) => {
    await store.put(KEY, Buffer.from('bytes'), info);
    await writeByHand(root, KEY, damage(await readFile(join(root, KEY))));
    expect(await store.get(KEY)).toBeUndefined();
    expect(await store.head(KEY)).toBeUndefined();
  });

  test.each<[string, (file: Buffer) => Uint8Array]>([
    ['truncated', (file) => file.subarray(0, 10)],
    ['of another body than its trailer', (file) => file.fill('x', 0, 1)],
  ])('is replaced, and deleted, as if there were no object when it is %s', async (_, damage) => {
    const damageFile = async () => writeByHand(root, KEY, damage(await readFile(join(root, KEY))));
    await store.put(KEY, Buffer.from('bytes'), info);
    await damageFile();
    expect(await store.get(KEY)).toBeUndefined();
    expect(await store.replace(KEY, undefined, Buffer.from('new'), info)).toBeDefined();
    await damageFile();
    await store.deleteIfMatch(KEY, undefined);
    expect(await readdir(root)).toEqual(['.tmp']);
  });

  test('is a miss when it is a folder, or its key continues that of an object', async () => {
    await store.put('a/b', Buffer.from('x'), info);
    for (const key of ['a', 'a/b/c']) {
      expect(await store.get(key)).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
      await store.delete([key]);
      await store.deleteIfMatch(key, undefined);
    }
    await expectStored(store, 'a/b', Buffer.from('x'), info);
  });
});

test('a loop of reads lets other work of the process run', async () => {
  await store.put(KEY, Buffer.from('x'), { contentType: 'image/avif' });
  let over = false;
  setTimeout(() => {
    over = true;
  }, 1);
  let reads = 0;
  for (; !over && reads < 100_000; reads += 1) await store.head(KEY);
  expect(reads).toBeLessThan(100_000);
});

function rename(file: Buffer, from: string, to: string): Buffer {
  return Buffer.from(file.toString('latin1').replace(from, to), 'latin1');
}

/** How many bytes this process has read so far, from anything. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
