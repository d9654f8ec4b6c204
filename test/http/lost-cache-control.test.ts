import { expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { setUpPhotograph, temporaryFolder } from '../support/http/service.ts';

it.each([
  ['no Cache-Control', undefined],
  ['an empty Cache-Control', ''],
])('A stored variant with %s is sent with the configured one', async (_, cacheControl) => {
  const store = createFileStore({ root: await temporaryFolder() });
  const { peek: _peek, ...rest } = store;
  const copied: VariantStore = {
    ...rest,
    async get(key) {
      const { cacheControl: _lost, ...object } = (await store.get(key)) ?? {};
      if (!('body' in object)) return undefined;
      return { ...object, ...(cacheControl !== undefined && { cacheControl }) } as Awaited<
        ReturnType<typeof store.get>
      >;
    },
  };
  const { service, target } = await setUpPhotograph(
    { CACHE_CONTROL: 'public, max-age=77' },
    { store: copied },
  );
  await service.request(await target());
  const hit = await service.request(await target());
  expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
  expect(hit.headers.get('cache-control')).toBe('public, max-age=77');
});
