import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ObjectInfo, VariantStore } from '../../src/store/store.ts';
import { AVIF, expectStored, freshKey, md5 } from '../support/store/stored.ts';
import { assertVersion, putVersion } from '../support/store/version.ts';
import { describeInfo, describeKeys } from './store-contract-limits.ts';
import { describeListing } from './store-contract-listing.ts';

export interface StoreContractOptions {
  /** How many random cases of each property to check. */
  propertyRuns?: number;
  /** How many versions each writer of the concurrency test stores. */
  versions?: number;
}

/** The tests of the port that every store has to pass. */
export function describeStore(
  name: string,
  makeStore: () => VariantStore | Promise<VariantStore>,
  { propertyRuns = 100, versions = 200 }: StoreContractOptions = {},
): void {
  describe(`the store contract, kept by ${name}`, () => {
    let store: VariantStore;
    beforeAll(async () => {
      store = await makeStore();
    });

    describeObjects(() => store);
    describeKeys(() => store);
    describeInfo(() => store);
    describeListing(() => store, { propertyRuns });

    test('any bytes and any metadata that a header can carry are returned unchanged', async () => {
      const property = fc.asyncProperty(anyBody, anyInfo, async (body, info) => {
        const key = freshKey();
        await store.put(key, body, info);
        await expectStored(store, key, body, info);
      });
      await fc.assert(property, { numRuns: propertyRuns });
    });

    test('while many writers put to one key, every reader gets one whole object with its own metadata', async () => {
      const key = freshKey('json');
      let writing = true;
      const writers = ['a', 'b', 'c'].map(async (writer) => {
        for (let version = 1; version <= versions; version += 1)
          await putVersion(store, key, writer, version);
      });
      const done = Promise.all(writers).finally(() => {
        writing = false;
      });
      const readers = Array.from({ length: 3 }, async () => {
        const seen = new Set<string>();
        while (writing) {
          const found = await store.get(key);
          if (found) seen.add(assertVersion(found));
          const info = await store.head(key);
          if (info) assertVersion(info);
          await nextTurn();
        }
        return seen.size;
      });
      await done;
      for (const versionsSeen of await Promise.all(readers)) expect(versionsSeen).toBeGreaterThan(1);
    });
  });
}

function describeObjects(store: () => VariantStore): void {
  test('a miss is undefined', async () => {
    expect(await store().get(freshKey())).toBeUndefined();
    expect(await store().head(freshKey())).toBeUndefined();
  });

  test('an object is returned with its bytes, type, cache control, metadata, length and quoted MD5', async () => {
    const key = freshKey();
    const body = randomBytes(70_000);
    const { etag } = await store().put(key, body, AVIF);
    expect(etag).toBe(md5(body));
    await expectStored(store(), key, body, AVIF);
  });

  test.each(['json', 'webp'])('a second put to a .%s replaces bytes and metadata', async (extension) => {
    const key = freshKey(extension);
    await store().put(key, randomBytes(5000), AVIF);
    const body = randomBytes(100);
    await store().put(key, body, { contentType: 'image/webp', metadata: { other: 'x' } });
    await expectStored(store(), key, body, { contentType: 'image/webp', metadata: { other: 'x' } });
    await store().put(key, body, { contentType: 'application/json' });
    await expectStored(store(), key, body, { contentType: 'application/json' });
  });

  test.each(['json', 'avif'])('an empty .%s is an object', async (extension) => {
    const key = freshKey(extension);
    const body = new Uint8Array();
    const info = { contentType: 'application/json' };
    expect((await store().put(key, body, info)).etag).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
    await expectStored(store(), key, body, info);
  });

  test('an object of five megabytes is returned whole', async () => {
    const key = freshKey();
    const body = randomBytes(5_242_881);
    await store().put(key, body, AVIF);
    await expectStored(store(), key, body, AVIF);
  });

  test('a JSON record is returned unchanged', async () => {
    const key = freshKey('json');
    const body = Buffer.from(JSON.stringify({ code: 'source_not_found', detail: 'é'.repeat(100) }));
    await store().put(key, body, { contentType: 'application/json' });
    await expectStored(store(), key, body, { contentType: 'application/json' });
  });

  test.each([
    { contentType: 'application/json', cacheControl: 'no-store' },
    { contentType: 'application/json', metadata: { a: 'b' } },
    { contentType: 'application/problem+json' },
  ])('a record can be stored with %o', async (info) => {
    const key = freshKey('json');
    await store().put(key, Buffer.from('{}'), info);
    await expectStored(store(), key, Buffer.from('{}'), info);
  });

  test('a slice of a buffer is stored without the rest of the buffer', async () => {
    const key = freshKey();
    const body = randomBytes(1000).subarray(300, 700);
    await store().put(key, body, AVIF);
    await expectStored(store(), key, body, AVIF);
  });

  test('a deleted object is a miss, and deleting it again is no error', async () => {
    const key = freshKey();
    await store().put(key, randomBytes(10), AVIF);
    await store().delete([key]);
    expect(await store().get(key)).toBeUndefined();
    expect(await store().head(key)).toBeUndefined();
    await store().delete([key]);
  });

  test('a replace with the ETag of the object stores the new one with its metadata', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(100), { contentType: 'image/webp' });
    const body = randomBytes(50);
    expect(await store().replace(key, etag, body, AVIF)).toEqual({ etag: md5(body) });
    await expectStored(store(), key, body, AVIF);
  });

  test('a replace with another ETag stores nothing, whether there is an object or not', async () => {
    const key = freshKey();
    const body = randomBytes(100);
    const { etag } = await store().put(key, randomBytes(10), AVIF);
    await store().put(key, body, AVIF);
    expect(await store().replace(key, etag, randomBytes(10), AVIF)).toBeUndefined();
    await expectStored(store(), key, body, AVIF);
    await store().delete([key]);
    expect(await store().replace(key, md5(body), body, AVIF)).toBeUndefined();
    expect(await store().get(key)).toBeUndefined();
    expect(await store().replace(freshKey(), etag, body, AVIF)).toBeUndefined();
  });

  test('of many concurrent replaces of the same object, one succeeds', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(10), AVIF);
    await expectOneWinner(store(), key, etag);
  });

  test('a replace without an ETag stores an object only where there is none', async () => {
    const key = freshKey();
    const body = randomBytes(50);
    expect(await store().replace(key, undefined, body, AVIF)).toEqual({ etag: md5(body) });
    expect(await store().replace(key, undefined, randomBytes(10), AVIF)).toBeUndefined();
    await expectStored(store(), key, body, AVIF);
    await store().delete([key]);
    expect(await store().replace(key, undefined, body, AVIF)).toEqual({ etag: md5(body) });
  });

  test('of many concurrent replaces where there is no object, one succeeds', async () => {
    await expectOneWinner(store(), freshKey(), undefined);
  });

  test('a conditional delete with the ETag of the object removes it, and is no error when it is gone', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(10), AVIF);
    await store().deleteIfMatch(key, etag);
    expect(await store().get(key)).toBeUndefined();
    await store().deleteIfMatch(key, etag);
  });

  test('a conditional delete without an ETag leaves a whole object, and is no error when there is none', async () => {
    const key = freshKey();
    await store().put(key, Buffer.from('here'), AVIF);
    await store().deleteIfMatch(key, undefined);
    await expectStored(store(), key, Buffer.from('here'), AVIF);
    await store().deleteIfMatch(freshKey(), undefined);
  });

  test('deleting an object leaves one whose key starts with its key', async () => {
    const key = freshKey();
    const neighbour = `${key}2`;
    await store().put(key, randomBytes(10), AVIF);
    await store().put(neighbour, Buffer.from('here'), AVIF);
    await store().delete([key]);
    await expectStored(store(), neighbour, Buffer.from('here'), AVIF);
  });
}

/** Makes many concurrent replaces, and fails unless exactly one of them succeeds. */
async function expectOneWinner(store: VariantStore, key: string, etag: string | undefined): Promise<void> {
  const bodies = Array.from({ length: 20 }, () => randomBytes(100));
  const replaced = await Promise.all(bodies.map((body) => store.replace(key, etag, body, AVIF)));
  const winners = bodies.filter((_, index) => replaced[index] !== undefined);
  expect(winners).toHaveLength(1);
  await expectStored(store, key, winners[0] as Buffer, AVIF);
}

const anyBody = fc.uint8Array({ maxLength: 5000 });
const anyWord = fc.stringMatching(/^[!-~]{1,40}$/);
const anyValue = fc.array(anyWord, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
const anyInfo: fc.Arbitrary<ObjectInfo> = fc.record(
  {
    contentType: fc.constantFrom('image/avif', 'image/webp', 'image/jpeg', 'application/json'),
    cacheControl: anyValue,
    metadata: fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,10}(-[a-z0-9]{1,10}){0,2}$/), anyValue, {
      maxKeys: 6,
    }),
  },
  { requiredKeys: ['contentType'] },
);
