import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { startWithUnits } from '../support/http/operator.ts';
import { until } from '../support/http/service.ts';
import { startReceiver } from '../support/notify/receiver.ts';

it('a unit that is given up is told with the reason, and is listed as failed', async () => {
  const receiver = await startReceiver();
  const { service, adminRequest } = await startWithUnits(['unit-1'], receiver.env);
  const job = { unit: 'unit-1', images: 2, retry: false };
  await service.unitServices.failJob(job, new Error('the disk is full'));
  await until(() => receiver.attempts.length === 2);
  const [completed, failed] = receiver.events();
  expect(failed).toMatchObject({
    type: 'unit.failed',
    data: { unit: 'unit-1', submittedAt: completed?.data.submittedAt, detail: 'the disk is full' },
  });
  expect(failed?.id).not.toBe(completed?.id);
  const listed = await (await adminRequest('GET', '/units?state=failed')).json();
  expect(listed).toMatchObject({ units: [{ id: 'unit-1' }] });
});

it('a unit of which several parts are given up is told once', async () => {
  const receiver = await startReceiver();
  const { service } = await startWithUnits(['unit-1'], receiver.env);
  const { failJob } = service.unitServices;
  for (const from of [0, 1])
    await failJob({ unit: 'unit-1', images: 1, from, retry: false }, new Error('no'));
  await until(() => receiver.attempts.length === 2);
  await service.stop();
  expect(receiver.events().map(({ type }) => type)).toEqual(['unit.completed', 'unit.failed']);
});

it('a unit whose manifest is damaged is told too when it is given up', async () => {
  const receiver = await startReceiver();
  const { service, adminRequest, root } = await startWithUnits(['unit-1'], receiver.env);
  await until(() => receiver.attempts.length === 1);
  const { manifestKey } = unitAddress('unit-1', sha256);
  await writeFile(join(root, manifestKey), '{');
  await service.unitServices.failJob({ unit: 'unit-1', images: 1, retry: false }, new Error('damaged'));
  await until(() => receiver.attempts.length === 2);
  expect(receiver.events()[1]).toMatchObject({ type: 'unit.failed', data: { unit: 'unit-1' } });
  const listed = await (await adminRequest('GET', '/units?state=failed')).json();
  expect(listed).toMatchObject({ units: [{ id: 'unit-1' }] });
});

it('a job that is not about all of a unit, and one of a purged unit, are given up in silence', async () => {
  const receiver = await startReceiver();
  const { service, adminRequest } = await startWithUnits(['unit-1'], receiver.env);
  await until(() => receiver.attempts.length === 1);
  const { failJob } = service.unitServices;
  await failJob({ unit: 'unit-1', images: 0, retry: false, invalidate: true }, new Error('no'));
  await adminRequest('DELETE', '/units/unit-1');
  await failJob({ unit: 'unit-1', images: 1, retry: false }, new Error('no'));
  await service.stop();
  expect(receiver.attempts).toHaveLength(1);
});
