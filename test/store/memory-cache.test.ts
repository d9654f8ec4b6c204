import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../../src/store/memory-cache.ts';
import type { StoredObject } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/http/service.ts';

function objectOf(bytes: number): StoredObject {
  const body = new Uint8Array(bytes);
  return { body, bytes, etag: '"x"', contentType: 'image/avif', cacheControl: undefined, metadata: {} };
}

/** Objects that are kept as if they had been written a minute ago. */
async function setUp(maxBytes = 1_000_000, laterMs = 60_000) {
  const folder = await temporaryFolder();
  const hot = createMemoryCache(maxBytes, () => Date.now() + laterMs);
  const keep = (name: string, bytes = 10) => {
    const path = join(folder, name);
    const object = objectOf(bytes);
    writeFileSync(path, object.body);
    hot.set(path, statSync(path), object);
    return { path, object };
  };
  return { folder, hot, keep };
}

describe('an object that was read lately', () => {
  it('is found again without being read', async () => {
    const { hot, keep } = await setUp();
    const { path, object } = keep('a');
    expect(hot.get(path)).toBe(object);
    expect(hot.get(`${path}b`)).toBeUndefined();
  });

  it('is gone when its file is, whoever removed it', async () => {
    const { hot, keep } = await setUp();
    const { path } = keep('a');
    rmSync(path);
    expect(hot.get(path)).toBeUndefined();
    writeFileSync(path, objectOf(10).body);
    expect(hot.get(path)).toBeUndefined();
  });

  it('is not taken for another that was put in its place', async () => {
    const { folder, hot, keep } = await setUp();
    const { path } = keep('a');
    writeFileSync(join(folder, 'new'), objectOf(10).body);
    renameSync(join(folder, 'new'), path);
    expect(hot.get(path)).toBeUndefined();
  });

  it('is not kept while another could be put in its place with the same time', async () => {
    const { hot, keep } = await setUp(1_000_000, 0);
    expect(hot.get(keep('a').path)).toBeUndefined();
  });

  it('makes room for those that were read later', async () => {
    const { hot, keep } = await setUp(10_000);
    const [first, second, third] = [keep('a', 4000), keep('b', 3000), keep('c', 3000)];
    expect(hot.get(first.path)).toBeUndefined();
    expect(hot.get(second.path)).toBe(second.object);
    expect(hot.get(third.path)).toBe(third.object);
  });
});
