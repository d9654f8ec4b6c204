import { expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { setUpPhotograph, temporaryFolder, until } from '../support/http/service.ts';

/** A service whose store keeps nothing in memory, as S3, with the keys that it reads. */
async function setUp(
  beforeGet: (key: string) => Promise<void> = async () => {},
  afterGet: (key: string) => Promise<void> = async () => {},
) {
  const store = createFileStore({ root: await temporaryFolder() });
  const reads: string[] = [];
  const counting: VariantStore = {
    ...store,
    peek: () => undefined,
    async get(key) {
      reads.push(key);
      await beforeGet(key);
      const object = await store.get(key);
      await afterGet(key);
      return object;
    },
  };
  return { ...(await setUpPhotograph({}, { store: counting })), store, reads };
}

it('A hit reads the variant and the tombstone of its unit, and nothing else', async () => {
  const { service, target, reads } = await setUp();
  const url = await target();
  await service.request(url);
  reads.length = 0;
  const hit = await service.request(url);
  expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
  expect(reads.sort()).toEqual([
    expect.stringMatching(/^purged\//),
    expect.stringMatching(/320-balanced\.jpeg$/),
  ]);
});

it('A miss reads the tombstone of its unit before it fetches the source', async () => {
  const { service, target, reads, origin } = await setUp();
  const response = service.request(await target());
  await until(() => reads.some((key) => key.startsWith('purged/')));
  const fetchesAtTombstone = origin.requests.length;
  expect((await response).status).toBe(200);
  expect([fetchesAtTombstone, origin.requests.length]).toEqual([0, 1]);
});

it('What another request has read before a purge is not given to one that comes after it', async () => {
  let isHeld = false;
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  const { service, target, store, reads } = await setUp(undefined, async () =>
    isHeld ? await held : undefined,
  );
  const url = await target();
  await service.request(url);
  reads.length = 0;
  isHeld = true;
  const before = service.request(url);
  await until(() => reads.length > 0);
  // As a purge in another process does.
  await store.delete(reads.filter((key) => !key.startsWith('purged/')));
  const after = service.request(url);
  isHeld = false;
  await new Promise(setImmediate);
  answer();
  expect((await before).headers.get('cache-status')).toBe('edgepress; hit');
  expect((await after).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
});

it('Requests for the same variant at the same time read it twice at most', async () => {
  const { service, target, reads } = await setUp();
  const url = await target();
  await service.request(url);
  reads.length = 0;
  const all = await Promise.all(Array.from({ length: 20 }, () => service.request(url)));
  expect(all.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(reads.filter((key) => !key.startsWith('purged/')).length).toBeLessThanOrEqual(2);
});
