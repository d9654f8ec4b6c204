import { expect, it } from 'vitest';
import { STATE_PREFIX, type UnitState } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { startAdminService } from '../support/http/operator.ts';
import { temporaryFolder } from '../support/http/service.ts';

/** Units without images are ready, and with one that may not be fetched broken. */
const unitOf = (id: string, images: Unit['images'] = []): Unit => ({
  ...{ id, images },
  ...{ widths: [160], tiers: ['balanced'], formats: ['webp'] },
});

/** A store of three units as earlier versions left it: without marks. */
async function setUp(given?: VariantStore) {
  const store = given ?? createFileStore({ root: await temporaryFolder() });
  const { service } = await startAdminService({ SOURCE_ALLOW: 'https://allowed.test/*' }, { store });
  const { units, processJob } = service.unitServices;
  const refused = [{ src: 'https://a.test/a.jpg' }];
  for (const unit of [unitOf('ready'), unitOf('broken', refused)])
    await processJob(await units.submit(unit, { retry: false }), () => {});
  await units.submit(unitOf('pending', [{ src: 'https://allowed.test/a.jpg' }]), { retry: false });
  const removeMarks = async () => {
    for await (const { key } of store.list(STATE_PREFIX)) await store.delete([key]);
  };
  const listed = async () => {
    const ids: Partial<Record<UnitState, string[]>> = {};
    for (const state of ['pending', 'ready', 'broken', 'failed'] as const)
      ids[state] = (await units.list({ state, limit: 10 })).units.map(({ id }) => id);
    return ids;
  };
  const rebuild = (signal = new AbortController().signal) => units.rebuildMarks(() => {}, signal);
  return { units, service, removeMarks, listed, rebuild };
}

const ALL = { pending: ['pending'], ready: ['ready'], broken: ['broken'], failed: [] };

it('units without marks are listed as what the store has of them, once marks were rebuilt', async () => {
  const { removeMarks, listed, rebuild } = await setUp();
  await removeMarks();
  expect(await listed()).toEqual({ pending: [], ready: [], broken: [], failed: [] });
  expect(await rebuild()).toEqual({ units: 3, marked: { pending: 1, ready: 1, broken: 1 } });
  expect(await listed()).toEqual(ALL);
  expect(await rebuild()).toEqual({ units: 3, marked: { pending: 0, ready: 0, broken: 0 } });
});

it('a mark that is there stays: a unit that was given up is not pending again', async () => {
  const { service, listed, rebuild } = await setUp();
  await service.unitServices.failJob({ unit: 'pending', images: 1, retry: false }, new Error('no'));
  expect(await rebuild()).toMatchObject({ marked: { pending: 0, ready: 0, broken: 0 } });
  expect(await listed()).toEqual({ ...ALL, pending: [], failed: ['pending'] });
});

it('a unit that is purged while it is marked is not listed as pending for ever', async () => {
  const store = createFileStore({ root: await temporaryFolder() });
  let isPurging = false;
  const held: typeof store = {
    ...store,
    async put(key, body, info) {
      if (isPurging && key.startsWith(`${STATE_PREFIX}/pending/`)) {
        isPurging = false;
        await units.purge(['pending']);
      }
      return await store.put(key, body, info);
    },
  };
  const { units, removeMarks, listed, rebuild } = await setUp(held);
  await removeMarks();
  isPurging = true;
  await rebuild();
  expect(isPurging).toBe(false);
  expect(await listed()).toMatchObject({ pending: [] });
});

it('what was interrupted is done when it is called again', async () => {
  const { removeMarks, listed, rebuild } = await setUp();
  await removeMarks();
  expect(await rebuild(AbortSignal.abort())).toMatchObject({ units: 0 });
  await rebuild();
  expect(await listed()).toEqual(ALL);
});
