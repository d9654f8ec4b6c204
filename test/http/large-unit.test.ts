import { expect, it } from 'vitest';
import { PARTS_FOLDER } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { temporaryFolder } from '../support/http/service.ts';

it('a unit with 120 images is worked on in parts, and is one unit in its status', async () => {
  const store = createFileStore({ root: await temporaryFolder() });
  const parts = new Set<string>();
  const put: typeof store.put = async (key, ...rest) => {
    if (key.includes(`/${PARTS_FOLDER}/`)) parts.add(key);
    return await store.put(key, ...rest);
  };
  const { ingest, finalStatus, queueIsEmpty, service } = await startAdminService(
    { SOURCE_ALLOW: 'https://nowhere.test/*' },
    { store: { ...store, put } },
  );
  const sources = Array.from({ length: 120 }, (_, index) => `https://images.test/${index}.jpg`);
  expect(await ingest(unitLine('large', ...sources))).toMatchObject({ accepted: 1, images: 120 });
  await queueIsEmpty();
  expect((await finalStatus('large')).totals).toMatchObject({ broken: 120, pending: 0 });
  // Each image was tried once: the jobs are about disjoint ranges.
  expect(service.log.filter(({ msg }) => msg === 'prewarm')).toHaveLength(120);
  expect(parts.size).toBe(3);
});
