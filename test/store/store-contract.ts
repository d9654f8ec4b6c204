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
  /** How often each property is tried. */
  propertyRuns?: number;
  /** How many versions each writer of the concurrency test puts. */
  versions?: number;
}

/** What every store promises, whatever it is made of. */
export function describeStore(
  name: string,
  makeStore: () => VariantStore | Promise<VariantStore>,
  { propertyRuns = 100, versions = 200 }: StoreContractOptions = {},
): void {
  describe(`${name} keeps the contract of a store:`, () => {
    let store: VariantStore;
    beforeAll(async () => {
      store = await makeStore();
    });

    describeObjects(() => store);
    describeKeys(() => store);
    describeInfo(() => store);
    describeListing(() => store, { propertyRuns });

    test('any bytes and any metadata that a header can carry come back as they went in', async () => {
      const property = fc.asyncProperty(anyBody, anyInfo, async (body, info) => {
        const key = freshKey();
        await store.put(key, body, info);
        await expectStored(store, key, body, info);
      });
      await fc.assert(property, { numRuns: propertyRuns });
    });

    test('while many put to one key, whoever reads it sees one whole object with its own metadata', async () => {
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

  test('an object comes back with its bytes, type, cache control, metadata, length and quoted MD5', async () => {
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

  test('an object of five megabytes comes back whole', async () => {
    const key = freshKey();
    const body = randomBytes(5_242_881);
    await store().put(key, body, AVIF);
    await expectStored(store(), key, body, AVIF);
  });

  test('a record is stored as it is', async () => {
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

  test('a part of a buffer is stored as that part', async () => {
    const key = freshKey();
    const body = randomBytes(1000).subarray(300, 700);
    await store().put(key, body, AVIF);
    await expectStored(store(), key, body, AVIF);
  });

  test('a deleted object is a miss, and deleting it again is nothing', async () => {
    const key = freshKey();
    await store().put(key, randomBytes(10), AVIF);
    await store().delete([key]);
    expect(await store().get(key)).toBeUndefined();
    expect(await store().head(key)).toBeUndefined();
    await store().delete([key]);
  });

  test('an object is replaced by what knows it, with all that is said of it', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(100), { contentType: 'image/webp' });
    const body = randomBytes(50);
    expect(await store().replace(key, etag, body, AVIF)).toEqual({ etag: md5(body) });
    await expectStored(store(), key, body, AVIF);
  });

  test('nothing is put in place of another object, or of none', async () => {
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

  test('of those that replace the same object at once, one does', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(10), AVIF);
    await expectOneWinner(store(), key, etag);
  });

  test('a replace without an ETag stores an object where there is none, and nothing in place of one', async () => {
    const key = freshKey();
    const body = randomBytes(50);
    expect(await store().replace(key, undefined, body, AVIF)).toEqual({ etag: md5(body) });
    expect(await store().replace(key, undefined, randomBytes(10), AVIF)).toBeUndefined();
    await expectStored(store(), key, body, AVIF);
    await store().delete([key]);
    expect(await store().replace(key, undefined, body, AVIF)).toEqual({ etag: md5(body) });
  });

  test('of those that store the first object at once, one does', async () => {
    await expectOneWinner(store(), freshKey(), undefined);
  });

  test('an object with the ETag that is named is deleted, and deleting it again is no error', async () => {
    const key = freshKey();
    const { etag } = await store().put(key, randomBytes(10), AVIF);
    await store().deleteIfMatch(key, etag);
    expect(await store().get(key)).toBeUndefined();
    await store().deleteIfMatch(key, etag);
  });

  test('an object goes without its neighbours', async () => {
    const key = freshKey();
    const neighbour = `${key}2`;
    await store().put(key, randomBytes(10), AVIF);
    await store().put(neighbour, Buffer.from('here'), AVIF);
    await store().delete([key]);
    await expectStored(store(), neighbour, Buffer.from('here'), AVIF);
  });
}

/** Replaces the object many times at once, and fails unless exactly one of them succeeds. */
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
