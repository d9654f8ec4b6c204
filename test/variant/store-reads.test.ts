import { expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { setUpPhotograph, temporaryFolder, until } from '../support/http/service.ts';

/** A service whose store keeps nothing in memory, as S3, with the keys that it reads. */
async function setUp(beforeGet: (key: string) => Promise<void> = async () => {}) {
  const store = createFileStore({ root: await temporaryFolder() });
  const reads: string[] = [];
  const counting: VariantStore = {
    ...store,
    peek: () => undefined,
    async get(key) {
      reads.push(key);
      await beforeGet(key);
      return await store.get(key);
    },
  };
  return { ...(await setUpPhotograph({}, { store: counting })), reads };
}

it('A hit costs one read of the store', async () => {
  const { service, target, reads } = await setUp();
  const url = await target();
  await service.request(url);
  reads.length = 0;
  const hit = await service.request(url);
  expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
  expect(reads).toEqual([expect.stringMatching(/320-balanced\.jpeg$/)]);
});

it('A miss reads the tombstone of its unit before it fetches the source', async () => {
  const { service, target, reads, origin } = await setUp();
  const response = service.request(await target());
  await until(() => reads.some((key) => key.startsWith('purged/')));
  const fetchesAtTombstone = origin.requests.length;
  expect((await response).status).toBe(200);
  expect([fetchesAtTombstone, origin.requests.length]).toEqual([0, 1]);
});

it('While a store keeps a request waiting, its tombstone is asked for as well', async () => {
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  const { service, target, reads } = await setUp(() => held);
  const response = service.request(await target());
  await until(() => reads.length === 2);
  answer();
  expect((await response).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
});
