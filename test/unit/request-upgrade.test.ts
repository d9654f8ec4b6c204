import { expect, it } from 'vitest';
import type { Job } from '../../src/queue/queue.ts';
import { createRequestUpgrade } from '../../src/unit/upgrade.ts';

it('asks again for what could not be put on the queue, once it is served again', async () => {
  const sent: Job[] = [];
  let isDown = true;
  const ask = createRequestUpgrade(async (job) => {
    sent.push(job);
    if (isDown) throw new Error('the queue is down');
  });
  const spec = { src: 'https://example.com/a.jpg', width: 160, tier: 'balanced', format: 'avif' } as const;
  const serve = async () => {
    ask({ unit: 'unit-1', ...spec }, 'a key');
    // The failure comes after the answer.
    await new Promise(setImmediate);
  };
  await serve();
  isDown = false;
  await serve();
  await serve();
  const job = { unit: 'unit-1', images: 1, retry: false, upgrade: spec };
  expect(sent).toEqual([job, job]);
});
