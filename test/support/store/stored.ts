import { createHash, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { ObjectInfo, VariantStore } from '../../../src/store/store.ts';

/** An object's information with every property. */
export const AVIF: ObjectInfo = {
  contentType: 'image/avif',
  cacheControl: 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
  metadata: { 'cache-tag': 'u-0a1b,s-2c3d', width: '1080', 'source-type': 'image/jpeg' },
};

/** No test takes longer than this from a put to a look at it. */
const MAX_TEST_MS = 600_000;

/** Returns a key without an object. */
export function freshKey(extension = 'avif'): string {
  return `v1/00/${randomUUID()}/1080-balanced.${extension}`;
}

/** Returns the ETag of these bytes. */
export function md5(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

/** Fails unless `get` and `head` both return exactly this for the key. */
export async function expectStored(
  store: VariantStore,
  key: string,
  body: Uint8Array,
  { contentType, cacheControl, metadata }: ObjectInfo,
): Promise<void> {
  const info = {
    contentType,
    cacheControl,
    metadata: { ...metadata },
    etag: md5(body),
    bytes: body.length,
    modifiedMs: expect.any(Number),
  };
  const head = await store.head(key);
  expect(head).toEqual(info);
  expect(Math.abs((head?.modifiedMs ?? 0) - Date.now())).toBeLessThan(MAX_TEST_MS);
  const found = await store.get(key);
  expect(found).toEqual({ ...info, body: expect.any(Uint8Array) });
  // `toEqual` would take seconds for five megabytes.
  expect(Buffer.compare(found?.body ?? Buffer.from('nothing'), body)).toBe(0);
}
