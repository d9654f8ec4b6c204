import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { PARTS_FOLDER, STATE_PREFIX, type UnitState, unitAddress } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { startAdminService } from '../support/http/operator.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { STORE_FAILURE } from '../support/store/failing-store.ts';

const HOURS_MS = 3_600_000;
const ID = 'unit-1';

/** Its image is broken: the source may not be fetched. */
const BROKEN: Unit = {
  ...{ id: ID, images: [{ src: 'https://a.test/a.jpg' }] },
  ...{ widths: [160], tiers: ['balanced'], formats: ['webp'] },
};
const READY: Unit = { ...BROKEN, images: [] };

/** A service on a store of which the next call can be made to fail, as if the process was killed there, and whose jobs are done by hand. */
async function setUp() {
  const store = createFileStore({ root: await temporaryFolder() });
  const kill: { next?: { operation: 'put' | 'delete'; pattern: RegExp } | undefined } = {};
  const check = (operation: 'put' | 'delete', key: string) => {
    if (kill.next?.operation !== operation || !kill.next.pattern.test(key)) return;
    kill.next = undefined;
    throw new Error(STORE_FAILURE);
  };
  const mortal: VariantStore = {
    ...store,
    async put(key, ...rest) {
      check('put', key);
      return await store.put(key, ...rest);
    },
    async delete(keys) {
      check('delete', String(keys));
      await store.delete(keys);
    },
  };
  const clock = { nowMs: Date.now() };
  const { service } = await startAdminService(
    { SOURCE_ALLOW: 'https://nowhere.test/*' },
    { store: mortal, nowMs: () => ++clock.nowMs },
  );
  const { units, processJob, failJob } = service.unitServices;
  async function submit(unit: Unit) {
    const { jobs, error } = await units.submitBatch([unit], { retry: false });
    const [job] = jobs;
    if (!job) throw error;
    return job;
  }
  async function states(): Promise<UnitState[]> {
    const found: UnitState[] = [];
    for (const state of ['pending', 'ready', 'broken', 'failed'] as const) {
      const page = await units.list({ state, limit: 10 });
      if (page.units.length > 0) found.push(state);
    }
    return found;
  }
  const process = (job: Parameters<typeof processJob>[0]) => processJob(job, () => {});
  return { store, kill, clock, units, submit, states, process, failJob };
}

describe('A unit whose work has ended', () => {
  it('is in one state only, although the process was killed while it recorded that', async () => {
    const { kill, submit, process, states } = await setUp();
    await process(await submit(READY));
    const job = await submit(BROKEN);
    kill.next = { operation: 'delete', pattern: new RegExp(`^${STATE_PREFIX}/`) };
    await expect(process(job)).rejects.toThrow(STORE_FAILURE);
    await process(job);
    expect(await states()).toEqual(['broken']);
  });

  it('is not pending because of a later submission that was cut off before its manifest was stored', async () => {
    const { kill, submit, process, states } = await setUp();
    const job = await submit(BROKEN);
    await process(job);
    kill.next = { operation: 'put', pattern: /manifest\.json$/ };
    await expect(submit(BROKEN)).rejects.toThrow(STORE_FAILURE);
    await process(job);
    expect(await states()).toEqual(['broken']);
  });

  it('keeps the result of its last submission when the work on an earlier one ends after it', async () => {
    const { units, submit, process, states } = await setUp();
    const earlier = await submit(BROKEN);
    const prewarmed = await units.prewarm(earlier, () => {});
    await process(await submit(READY));
    const finished = await units.results.finish(earlier, prewarmed);
    if (finished) await units.results.record(finished);
    expect(await states()).toEqual(['ready']);
  });

  it('is not pending when it is sent again with a clock that was put back', async () => {
    const { clock, submit, process, states } = await setUp();
    await process(await submit(BROKEN));
    clock.nowMs -= HOURS_MS;
    await process(await submit(BROKEN));
    expect(await states()).toEqual(['broken']);
  });

  it('is failed when its job is given up before the work on its last submission began', async () => {
    const { units, submit, process, failJob, states } = await setUp();
    await process(await submit(BROKEN));
    const others = Array.from({ length: 40 }, (_, index) => ({ ...BROKEN, id: `unit-${index}` }));
    const { jobs } = await units.submitBatch(others, { retry: false });
    for (const job of jobs) {
      if (job.unit === ID) await failJob(job, new Error('the store was away'));
      else await units.purge([job.unit]);
    }
    expect(await states()).toEqual(['failed']);
  });

  it('keeps no part of it that is delivered again', async () => {
    const { store, submit, process } = await setUp();
    const job = await submit({
      ...BROKEN,
      images: [{ src: 'https://a.test/1' }, { src: 'https://a.test/2' }],
    });
    const parts = [0, 1].map((from) => ({ ...job, from, images: 1 }));
    for (const part of [...parts, ...parts.slice(1)]) await process(part);
    const keys: string[] = [];
    for await (const { key } of store.list(`${unitAddress(ID, sha256).folder}/${PARTS_FOLDER}`))
      keys.push(key);
    expect(keys).toEqual([]);
  });

  it('is not pending when it is given up because its manifest is damaged', async () => {
    const { store, submit, failJob, states } = await setUp();
    const job = await submit(BROKEN);
    const { manifestKey } = unitAddress(ID, sha256);
    await store.put(manifestKey, new TextEncoder().encode('{'), { contentType: 'application/json' });
    await failJob(job, new Error('damaged'));
    expect(await states()).toEqual(['failed']);
  });
});
