import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../../src/store/memory-cache.ts';
import type { StoredObject } from '../../src/store/store.ts';
import { makeFolder } from '../support/store/folder.ts';

function objectOf(bytes: number): StoredObject {
  const body = new Uint8Array(bytes);
  return { body, bytes, etag: '"x"', contentType: 'image/avif', cacheControl: undefined, metadata: {} };
}

/** A cache whose clock is ahead, as if its files had been written a minute ago. */
async function setUp(maxBytes = 1_000_000, laterMs = 60_000) {
  const folder = await makeFolder();
  const cache = createMemoryCache(maxBytes, () => Date.now() + laterMs);
  const add = (name: string, bytes = 10) => {
    const path = join(folder, name);
    const object = objectOf(bytes);
    writeFileSync(path, object.body);
    cache.set(path, path, statSync(path), object);
    return { path, object };
  };
  return { folder, cache, add };
}

describe('an object in the memory cache', () => {
  it('is returned without being read again', async () => {
    const { cache, add } = await setUp();
    const { path, object } = add('a');
    expect(cache.get(path)).toBe(object);
    expect(cache.get(`${path}b`)).toBeUndefined();
  });

  it('is a miss when its file has been removed', async () => {
    const { cache, add } = await setUp();
    const { path } = add('a');
    rmSync(path);
    expect(cache.get(path)).toBeUndefined();
    writeFileSync(path, objectOf(10).body);
    expect(cache.get(path)).toBeUndefined();
  });

  it('is a miss when the system cannot say whether its file is there', async () => {
    const { folder, cache, add } = await setUp();
    mkdirSync(join(folder, 'sub'));
    const { path } = add('sub/a');
    rmSync(join(folder, 'sub'), { recursive: true });
    // Then the system says that it is no folder, and not that the file is not there.
    writeFileSync(join(folder, 'sub'), '');
    expect(cache.get(path)).toBeUndefined();
  });

  it('is a miss when another file has been put in its place', async () => {
    const { folder, cache, add } = await setUp();
    const { path } = add('a');
    writeFileSync(join(folder, 'new'), objectOf(10).body);
    renameSync(join(folder, 'new'), path);
    expect(cache.get(path)).toBeUndefined();
  });

  it('is not added while another file could still get the same time', async () => {
    const { cache, add } = await setUp(1_000_000, 0);
    expect(cache.get(add('a').path)).toBeUndefined();
  });

  it('is evicted when objects that were read later need the room', async () => {
    const { cache, add } = await setUp(10_000);
    const [first, second, third] = [add('a', 4000), add('b', 3000), add('c', 3000)];
    expect(cache.get(first.path)).toBeUndefined();
    expect(cache.get(second.path)).toBe(second.object);
    expect(cache.get(third.path)).toBe(third.object);
  });
});
