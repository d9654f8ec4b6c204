import { expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { startWithUnits, unitLine } from '../support/http/operator.ts';
import { until } from '../support/http/service.ts';
import { startReceiver } from '../support/notify/receiver.ts';

it('a unit whose images are divided between jobs is told once, when the last of them is done', async () => {
  const receiver = await startReceiver();
  const { ingest, queueIsEmpty, src, root, adminRequest } = await startWithUnits([], receiver.env);
  const images = Array.from({ length: 120 }, (_, index) => (index % 3 === 0 ? `${src}/../gone` : src));
  await ingest(unitLine('large', ...images));
  await queueIsEmpty();
  await until(() => receiver.attempts.length > 0);
  expect(receiver.events()).toMatchObject([{ type: 'unit.completed', data: { ready: 80, broken: 40 } }]);
  const listed = await (await adminRequest('GET', '/units?state=broken')).json();
  expect(listed).toMatchObject({ units: [{ id: 'large' }] });
  expect(await partsIn(root)).toEqual([]);
});

async function partsIn(root: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of createFileStore({ root }).list('v1')) {
    if (key.includes('/parts/')) keys.push(key);
  }
  return keys;
}
