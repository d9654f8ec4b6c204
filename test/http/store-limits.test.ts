import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startAdminService } from '../support/http/operator.ts';
import { startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { filesIn } from '../support/store/folder.ts';

const DAY_MS = 86_400_000;

it('a variant that was not used for too long is pending in the status of its unit, and made again when it is asked for', async () => {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const src = `${origin.url}/photo.jpg`;
  const env = { SOURCE_ALLOW_PRIVATE: origin.authority };
  const first = await startAdminService(env);
  const { folder } = first.service;
  await first.ingest(JSON.stringify({ id: 'unit-1', images: [src] }));
  expect((await first.finalStatus('unit-1')).totals.ready).toBe(1);
  await first.service.stop();
  const [image = ''] = (await filesIn(folder)).filter((key) => key.endsWith('.webp'));
  const longAgo = new Date(Date.now() - 31 * DAY_MS);
  await utimes(join(folder, image), longAgo, longAgo);

  const second = await startAdminService({ ...env, STORE: `file:${folder}`, STORE_MAX_AGE_DAYS: '30' });
  const evicted = async () => (await second.metrics()).get('edgepress_store_evicted_total{reason="age"}');
  await until(async () => (await evicted()) === 1);
  expect((await second.statusOf('unit-1')).totals).toMatchObject({ ready: 0, pending: 1 });
  const target = targetFor(src, { width: 160, format: 'webp' });
  const response = await second.service.request(target);
  expect(response.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
  expect((await second.statusOf('unit-1')).totals).toMatchObject({ ready: 1, pending: 0 });
  await until(async () => ((await second.metrics()).get('edgepress_store_objects') ?? 0) >= 1);
});
