import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { PACK_PREFIX, QUEUE_PREFIX, SUBMISSION_PREFIX } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import type { Job } from '../../src/queue/queue.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import type { Manifest } from '../../src/unit/manifest.ts';
import { decodeFilter, encodeFilter, mayHave } from '../../src/unit/pack-filter.ts';
import { createPacks, isNewer } from '../../src/unit/packs.ts';
import type { Unit } from '../../src/unit/unit.ts';
import type { Units } from '../../src/unit/units.ts';
import { manifestsIn, startAdminService, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, temporaryFolder, until } from '../support/http/service.ts';
import { createGate } from '../support/queue/consumer.ts';
import { failingStore } from '../support/store/failing-store.ts';
import { runJob, setUpUnits } from '../support/unit/set-up-units.ts';

const HOURS_MS = 3_600_000;
/** Enough to be packed. */
const COUNT = 40;

async function packsIn(root: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of createFileStore({ root }).list(PACK_PREFIX)) keys.push(key);
  return keys;
}

/** Units of one image each, and what a batch of them leaves before any work on them. */
async function setUpBatch() {
  const setUp = await setUpUnits();
  const batch = Array.from({ length: COUNT }, (_, index) =>
    setUp.unit([setUp.src(`/${index}.jpg`)], { id: `unit-${index}`, formats: ['webp'] }),
  );
  const { units, service } = setUp;
  const submitBatch = async (images: (id: string) => string = (id) => setUp.src(`/${id}.jpg`)) => {
    const changed = batch.map((unit) => ({ ...unit, images: [{ src: images(unit.id) }] }));
    const { jobs, forget } = await units.submitBatch(changed, { retry: false });
    await forget();
    return jobs;
  };
  const jobOf = (jobs: readonly Job[], id: string): Job => {
    const job = jobs.find(({ unit }) => unit === id);
    if (!job) throw new Error(`no job of ${id}`);
    return job;
  };
  /** What another process on the same folder says. */
  const elsewhere = async (): Promise<Units> =>
    (
      await startAdminService(
        { STORE: `file:${service.folder}` },
        { store: createFileStore({ root: service.folder }) },
      )
    ).service.unitServices.units;
  const sourceOf = async (id: string, by: Pick<Units, 'status'> = units) =>
    (await by.status(id))?.images[0]?.src;
  return { ...setUp, root: service.folder, batch, submitBatch, jobOf, elsewhere, sourceOf };
}

describe('Units that are submitted together', () => {
  it('are one object until the work on each begins, which stores its manifest in its folder', async () => {
    const { units, root, submitBatch, jobOf } = await setUpBatch();
    const jobs = await submitBatch();
    expect(await packsIn(root)).toHaveLength(1);
    expect(await manifestsIn(root)).toEqual({});
    const { outcomes } = await runJob(units, jobOf(jobs, 'unit-7'));
    expect(outcomes).toMatchObject([{ unit: 'unit-7', state: 'ready' }]);
    const manifests = await manifestsIn(root);
    expect(Object.keys(manifests)).toEqual(['unit-7']);
    expect(manifests['unit-7']).toMatchObject({ formats: ['webp'], images: [{}], lastPurge: null });
  });

  it('are each stored in its folder at once when they are few', async () => {
    const { units, root, batch } = await setUpBatch();
    await units.submitBatch(batch.slice(0, 5), { retry: false });
    expect(await packsIn(root)).toEqual([]);
    expect(Object.keys(await manifestsIn(root))).toHaveLength(5);
  });

  it('have a status at once, in every process', async () => {
    const { units, submitBatch, elsewhere } = await setUpBatch();
    const other = await elsewhere();
    expect(await other.status('unit-3')).toBeUndefined();
    await submitBatch();
    for (const process of [units, other, await elsewhere()]) {
      expect((await process.status('unit-3'))?.totals).toMatchObject({ pending: 1 });
      expect(await process.status('unit-x')).toBeUndefined();
    }
  });

  it('are packed a thousand in one object at most, of a mebibyte at most', async () => {
    const { units, root, unit } = await setUpBatch();
    const long = 'x'.repeat(4000);
    const large = Array.from({ length: 800 }, (_, index) =>
      unit([`https://a.test/${long}`], { id: `l-${index}` }),
    );
    await units.submitBatch(large, { retry: false });
    const sizes: number[] = [];
    for await (const { bytes } of createFileStore({ root }).list(PACK_PREFIX)) sizes.push(bytes);
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(1.1 * 2 ** 20);
    for (const { id } of [large[0], large.at(-1)].flatMap((one) => one ?? []))
      expect((await units.status(id))?.totals).toMatchObject({ pending: 1 });
  });
});

describe('A unit in a pack that is sent again', () => {
  it('has the newer images, in whatever order the jobs are done', async () => {
    const { units, submitBatch, jobOf, sourceOf, elsewhere, origin } = await setUpBatch();
    const first = await submitBatch((id) => `${origin.url}/${id}.jpg?1`);
    const second = await submitBatch((id) => `${origin.url}/${id}.jpg?2`);
    expect(await sourceOf('unit-1')).toMatch(/\?2$/);
    expect(await sourceOf('unit-1', await elsewhere())).toMatch(/\?2$/);
    for (const job of [jobOf(second, 'unit-1'), jobOf(first, 'unit-1')]) await runJob(units, job);
    for (const job of [jobOf(first, 'unit-2'), jobOf(second, 'unit-2')]) await runJob(units, job);
    for (const id of ['unit-1', 'unit-2']) {
      expect(await sourceOf(id)).toMatch(/\?2$/);
      const images = (await units.status(id))?.images;
      expect(images).toMatchObject([{ state: 'ready' }]);
    }
    expect(origin.requests.filter((path) => path.endsWith('unit-1.jpg?1'))).toEqual([]);
  });

  it('has the newer images when it was sent alone, before or after', async () => {
    const { units, batch, submitBatch, jobOf, sourceOf, src } = await setUpBatch();
    const alone = (path: string) => ({ ...batch[0], id: 'unit-0', images: [{ src: src(path) }] }) as never;
    await units.submit(alone('/alone-first.jpg'), { retry: false });
    const jobs = await submitBatch();
    expect(await sourceOf('unit-0')).toMatch(/unit-0\.jpg$/);
    await units.submit(alone('/alone-last.jpg'), { retry: false });
    expect(await sourceOf('unit-0')).toMatch(/alone-last/);
    const { outcomes } = await runJob(units, jobOf(jobs, 'unit-0'));
    expect(outcomes).toMatchObject([{ src: src('/alone-last.jpg'), state: 'ready' }]);
  });
});

describe('A purge of units in a pack', () => {
  it('wins over their work, leaves nothing of them, and leaves the others', async () => {
    const { units, submitBatch, jobOf, root, elsewhere, origin } = await setUpBatch();
    const jobs = await submitBatch();
    await (await elsewhere()).purge(['unit-1']);
    expect(await units.status('unit-1')).toBeUndefined();
    expect((await runJob(units, jobOf(jobs, 'unit-1'))).outcomes).toEqual([]);
    expect(origin.requests).toEqual([]);
    expect(await manifestsIn(root)).toEqual({});
    expect((await runJob(units, jobOf(jobs, 'unit-2'))).outcomes).toMatchObject([{ state: 'ready' }]);
  });

  it('by a clock that is behind wins, too', async () => {
    const { root, units, submitBatch } = await setUpBatch();
    await units.purge(['unit-2']);
    await submitBatch();
    const behind = await startAdminService(
      { SOURCE_ALLOW: 'https://nowhere.test/*' },
      { store: createFileStore({ root }), nowMs: () => Date.now() - HOURS_MS },
    );
    await behind.service.unitServices.units.purge(['unit-1']);
    expect(await units.status('unit-1')).toBeUndefined();
    expect(await units.status('unit-2')).toBeDefined();
  });

  it('does not touch a unit that is sent again after it', async () => {
    const { units, submitBatch, jobOf } = await setUpBatch();
    const before = await submitBatch();
    await units.purge(['unit-1']);
    const after = await submitBatch();
    expect((await units.status('unit-1'))?.totals).toMatchObject({ pending: 1 });
    expect((await runJob(units, jobOf(before, 'unit-1'))).outcomes).toEqual([]);
    expect((await runJob(units, jobOf(after, 'unit-1'))).outcomes).toMatchObject([{ state: 'ready' }]);
  });

  it('after one by a clock that was ahead does not touch a unit that is sent after both', async () => {
    const { units, root, submitBatch } = await setUpBatch();
    const store = createFileStore({ root });
    await createTombstones(store, sha256, Date.now).put('unit-1', Date.now() + HOURS_MS);
    await units.purge(['unit-1']);
    await submitBatch();
    expect((await units.status('unit-1'))?.totals).toMatchObject({ pending: 1 });
  });

  it('that comes while they are being submitted wins', async () => {
    const { root, store } = await temporaryStore();
    const gate = createGate();
    const put: VariantStore['put'] = async (key, ...rest) => {
      if (key.startsWith(PACK_PREFIX)) await gate.opened;
      return await store.put(key, ...rest);
    };
    const setUp = await startAdminService(
      { SOURCE_ALLOW: 'https://nowhere.test/*' },
      { store: { ...store, put } },
    );
    const { units } = setUp.service.unitServices;
    const submitting = units.submitBatch(plainBatch(), { retry: false });
    // The manifests are not stored yet, but the submission has begun.
    await until(async () => (await filesOf(root, SUBMISSION_PREFIX)) === 1);
    await units.purge(['unit-1']);
    gate.open();
    await submitting;
    expect(await units.status('unit-1')).toBeUndefined();
    expect(await units.status('unit-2')).toBeDefined();
  });
});

/** Units of a source that may not be fetched. */
function plainBatch(): Unit[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    ...{ id: `unit-${index}`, images: [{ src: 'https://a.test/a.jpg' }] },
    ...{ widths: [160], tiers: ['balanced'], formats: ['webp'] },
  }));
}

async function filesOf(root: string, folder: string): Promise<number> {
  let count = 0;
  for await (const _ of createFileStore({ root }).list(folder)) count++;
  return count;
}

describe('A pack', () => {
  it('is found once it is stored, although it was looked for before', async () => {
    const { store } = await temporaryStore();
    const packs = createPacks(store, sha256);
    const key = packs.newKey(0);
    expect(await packs.readAll(key)).toEqual([]);
    const receivedAt = new Date(0).toISOString();
    const manifests = plainBatch().map((unit) => ({ ...unit, receivedAt }));
    await createPacks(store, sha256).put(key, manifests);
    expect((await packs.read(key, 'unit-1'))?.manifest).toEqual(manifests[1]);
    expect(await packs.readAll(key)).toHaveLength(COUNT);
  });

  it('is removed by a sweep once all of its units are done, and not before', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { ingest, service, queueIsEmpty, statusOf } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
    });
    const ids = Array.from({ length: COUNT }, (_, index) => `unit-${index}`);
    await ingest(ids.map((id) => unitLine(id, `${origin.url}/${id}.jpg`)).join(''));
    await until(() => held.length > 0);
    await service.unitServices.units.sweep();
    expect(await packsIn(service.folder)).toHaveLength(1);
    const answering = setInterval(answerAll, 1);
    await queueIsEmpty();
    clearInterval(answering);
    await service.unitServices.units.sweep();
    expect(await packsIn(service.folder)).toEqual([]);
    for (const id of ids) expect((await statusOf(id)).totals).toMatchObject({ ready: 1 });
  });

  it('is unpacked by a sweep after a day, so that no purge is forgotten before it', async () => {
    let nowMs = Date.now();
    const setUp = await startAdminService({ SOURCE_ALLOW: 'https://nowhere.test/*' }, { nowMs: () => nowMs });
    const { units } = setUp.service.unitServices;
    await units.submitBatch(plainBatch(), { retry: false });
    await units.purge(['unit-1']);
    nowMs += 25 * HOURS_MS;
    await units.sweep();
    expect(await packsIn(setUp.service.folder)).toEqual([]);
    const manifests = await manifestsIn(setUp.service.folder);
    expect(Object.keys(manifests)).toHaveLength(COUNT - 1);
    expect(manifests).not.toHaveProperty('unit-1');
  });

  it('is not lost with a unit whose job was given up before the work on it began', async () => {
    const setUp = await startAdminService({ SOURCE_ALLOW: 'https://nowhere.test/*' });
    const { units, processJob, failJob } = setUp.service.unitServices;
    const { jobs, forget } = await units.submitBatch(plainBatch(), { retry: false });
    await forget();
    for (const job of jobs) {
      if (job.unit === 'unit-1') await failJob(job, new Error('the store was away'));
      else await processJob(job, () => {});
    }
    await units.sweep();
    expect(await packsIn(setUp.service.folder)).toEqual([]);
    expect(await manifestsIn(setUp.service.folder)).toHaveProperty('unit-1');
    expect((await units.list({ state: 'failed', limit: 10 })).units).toMatchObject([{ id: 'unit-1' }]);
    expect((await units.list({ state: 'pending', limit: 10 })).units).toEqual([]);
  });

  it('is only swept once cut-off submissions have been taken up, whose jobs are in it', async () => {
    const { store } = await temporaryStore();
    const order: string[] = [];
    const list: VariantStore['list'] = async function* (folder, after) {
      if (folder === PACK_PREFIX) order.push('packs');
      yield* store.list(folder, after);
      if (folder === SUBMISSION_PREFIX) order.push('submissions');
    };
    await startAdminService({ SOURCE_ALLOW: 'https://nowhere.test/*' }, { store: { ...store, list } });
    await until(() => order.length >= 2);
    expect(order.slice(0, 2)).toEqual(['submissions', 'packs']);
  });

  it('that was stored, but whose jobs were not sent, is taken up by the next process', async () => {
    const { origin, answerAll } = await startHeldOrigin();
    const { root, store, env } = {
      ...(await temporaryStore()),
      env: { SOURCE_ALLOW_PRIVATE: origin.authority },
    };
    const { adminRequest, service } = await startAdminService(env, {
      store: failingStore(store, new RegExp(`^${QUEUE_PREFIX}/`), 'put'),
    });
    const ids = Array.from({ length: COUNT }, (_, index) => `unit-${index}`);
    const lines = ids.map((id) => unitLine(id, `${origin.url}/${id}.jpg`)).join('');
    expect((await adminRequest('POST', '/units', lines)).status).toBe(503);
    expect(await packsIn(root)).toHaveLength(1);
    await service.stop();
    const next = await startAdminService(env, { store });
    const answering = setInterval(answerAll, 1);
    for (const id of ids) expect((await next.finalStatus(id)).totals).toMatchObject({ ready: 1 });
    clearInterval(answering);
  });
});

async function temporaryStore() {
  const root = await temporaryFolder();
  return { root, store: createFileStore({ root }) };
}

describe('Of two manifests of a unit', () => {
  const at = (storedMs: number, receivedMs: number) => ({
    storedMs,
    manifest: { ...plainBatch()[0], receivedAt: new Date(receivedMs).toISOString() } as Manifest,
  });

  it.each([
    [
      'the one stored later is newer, whatever the clocks of those who received them say',
      at(2000, 5),
      at(1000, 9),
    ],
    ['the one received later is newer when both were stored within a second', at(1000, 9), at(1000, 5)],
  ])('%s', (_name, newer, older) => {
    expect([isNewer(newer, older), isNewer(older, newer), isNewer(newer, newer)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('The filter of a pack', () => {
  it('never misses a unit of it, and seldom takes another for one of it', async () => {
    const unitsOf = (prefix: string) => Array.from({ length: 1000 }, (_, index) => `${prefix}-${index}`);
    const text = encodeFilter(unitsOf('in'), sha256);
    expect(text.length).toBeLessThanOrEqual(2000);
    const filter = decodeFilter(text);
    expect(unitsOf('in').every((unit) => mayHave(filter, sha256(unit)))).toBe(true);
    expect(unitsOf('out').filter((unit) => mayHave(filter, sha256(unit))).length).toBeLessThan(20);
  });
});
