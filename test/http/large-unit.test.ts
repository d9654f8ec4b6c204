import { expect, it } from 'vitest';
import { startForbiddingService, unitLine } from '../support/http/operator.ts';

it('a unit with 120 images is worked on in parts, and is one unit in its status', async () => {
  const { ingest, finalStatus, queueIsEmpty, service } = await startForbiddingService();
  const sources = Array.from({ length: 120 }, (_, index) => `https://images.test/${index}.jpg`);
  expect(await ingest(unitLine('large', ...sources))).toMatchObject({ accepted: 1, images: 120 });
  await queueIsEmpty();
  expect((await finalStatus('large')).totals).toMatchObject({ broken: 120, pending: 0 });
  // Each image was tried once: the jobs are about disjoint ranges.
  expect(service.log.filter(({ msg }) => msg === 'prewarm')).toHaveLength(120);
});
