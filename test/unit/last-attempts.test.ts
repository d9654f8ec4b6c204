import { expect, it } from 'vitest';
import { LAST_ATTEMPT_PREFIX } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { startAdminService } from '../support/http/operator.ts';
import { temporaryFolder, until } from '../support/http/service.ts';
import { startReceiver } from '../support/notify/receiver.ts';

const MINUTES_MS = 60_000;

/** Its image is broken without a fetch. */
const UNIT: Unit = {
  ...{ id: 'unit-1', images: [{ src: 'https://a.test/a.jpg' }] },
  ...{ widths: [160], tiers: ['balanced'], formats: ['webp'] },
};

/** A service whose jobs are done by hand, a job whose last attempt has begun, and who is told. */
async function setUp() {
  const receiver = await startReceiver();
  const store = createFileStore({ root: await temporaryFolder() });
  const clock = { aheadMs: 0 };
  const { service } = await startAdminService(
    { SOURCE_ALLOW: 'https://nowhere.test/*', ...receiver.env },
    { store, nowMs: () => Date.now() + clock.aheadMs },
  );
  const { units, processJob } = service.unitServices;
  const job = await units.submit(UNIT, { retry: false });
  const end = await units.lastAttempts.begin(job);
  const notes = async () => {
    const keys: string[] = [];
    for await (const { key } of store.list(LAST_ATTEMPT_PREFIX)) keys.push(key);
    return keys.length;
  };
  return { receiver, clock, units, end, notes, process: () => processJob(job, () => {}) };
}

it('a unit whose worker is killed at the last attempt is told as failed an hour later, once', async () => {
  const { receiver, clock, units, notes } = await setUp();
  clock.aheadMs = 59 * MINUTES_MS;
  await units.sweep();
  expect(await notes()).toBe(1);
  clock.aheadMs = 61 * MINUTES_MS;
  await units.sweep();
  await units.sweep();
  await until(() => receiver.attempts.length > 0);
  const detail = expect.stringContaining('killed');
  expect(receiver.events()).toMatchObject([{ type: 'unit.failed', data: { unit: 'unit-1', detail } }]);
  expect((await units.list({ state: 'failed', limit: 10 })).units).toMatchObject([{ id: 'unit-1' }]);
  expect(await notes()).toBe(0);
});

it('a unit whose work has ended, or that was purged, is not told as failed although its last attempt was cut off', async () => {
  for (const happens of ['done', 'purged'] as const) {
    const { receiver, clock, units, notes, process } = await setUp();
    if (happens === 'done') await process();
    else await units.purge(['unit-1']);
    clock.aheadMs = 61 * MINUTES_MS;
    await units.sweep();
    expect(await notes()).toBe(0);
    expect((await units.list({ state: 'failed', limit: 10 })).units).toEqual([]);
    expect(receiver.events().filter(({ type }) => type === 'unit.failed')).toEqual([]);
  }
});

it('a unit that is sent again after its last attempt was cut off is not told as failed', async () => {
  const { receiver, clock, units, notes } = await setUp();
  clock.aheadMs = 30 * MINUTES_MS;
  await units.submitBatch([UNIT], { retry: false });
  clock.aheadMs = 61 * MINUTES_MS;
  await units.sweep();
  expect(await notes()).toBe(0);
  expect((await units.list({ state: 'failed', limit: 10 })).units).toEqual([]);
  expect((await units.list({ state: 'pending', limit: 10 })).units).toMatchObject([{ id: 'unit-1' }]);
  expect(receiver.events()).toEqual([]);
});

it('a last attempt that has ended leaves nothing', async () => {
  const { end, notes, units } = await setUp();
  await end();
  expect(await notes()).toBe(0);
  const upgrade = { src: 'https://a.test/a.jpg', width: 160, tier: 'saver', format: 'webp' } as const;
  await units.lastAttempts.begin({ unit: 'unit-1', images: 1, retry: false, upgrade });
  await units.lastAttempts.begin({ unit: 'unit-1', images: 0, retry: false, invalidate: true });
  expect(await notes()).toBe(0);
});
