import { describe, expect, it } from 'vitest';
import type { Encoder } from '../../src/encode/encoder.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startOrigin, startService } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import {
  createEncoder,
  holdEncoder,
  MANIFEST,
  prewarmOf,
  purgeAtStoreStep,
  purgeDuring,
  requestOf,
  SOURCE_RECORD,
  setUpRace,
  startHeldService,
  TOMBSTONE,
  UNIT,
  UNIT_FOLDER,
  unitOf,
  VARIANT,
  type Work,
} from '../support/purge/race.ts';
import { createHold, holdStore, keysOfUnits, type StoreStep } from '../support/store/held-store.ts';

describe('a purge wins over work in flight', () => {
  // The tombstone is read when the work begins, and after the put.
  const putAndCheck = (key: RegExp): StoreStep[] => [
    { operation: 'get', key: TOMBSTONE, when: 'after' },
    { operation: 'put', key, when: 'before' },
    { operation: 'put', key, when: 'after' },
    { operation: 'get', key: TOMBSTONE, when: 'before', count: 2 },
    { operation: 'get', key: TOMBSTONE, when: 'after', count: 2 },
  ];
  const works: { name: string; work: Work; steps: StoreStep[] }[] = [
    {
      name: 'a request',
      work: requestOf('/photo.jpg'),
      steps: [
        { operation: 'get', key: VARIANT, when: 'before' },
        { operation: 'get', key: VARIANT, when: 'after' },
        { operation: 'get', key: SOURCE_RECORD, when: 'before' },
        { operation: 'get', key: SOURCE_RECORD, when: 'after' },
        ...putAndCheck(VARIANT),
      ],
    },
    {
      name: 'a request for a broken source',
      work: requestOf('/gone.jpg'),
      steps: putAndCheck(SOURCE_RECORD),
    },
    {
      name: 'a prewarm',
      work: prewarmOf('/photo.jpg'),
      steps: [
        ...putAndCheck(MANIFEST),
        { operation: 'get', key: MANIFEST, when: 'before' },
        { operation: 'get', key: MANIFEST, when: 'after' },
        { operation: 'list', key: UNIT_FOLDER, when: 'before' },
        { operation: 'list', key: UNIT_FOLDER, when: 'after' },
        { operation: 'put', key: VARIANT, when: 'before' },
        { operation: 'put', key: VARIANT, when: 'after' },
      ],
    },
    { name: 'a prewarm of a broken source', work: prewarmOf('/gone.jpg'), steps: putAndCheck(SOURCE_RECORD) },
  ];
  const cases = works.flatMap(({ name, work, steps }) =>
    steps.map(
      (step) =>
        [`${name} ${step.when} the ${step.operation} ${step.count ?? 1} of ${step.key}`, work, step] as const,
    ),
  );

  it.each(cases)('leaves nothing of %s', async (_name, work, step) => {
    const { folder } = await purgeAtStoreStep(work, step);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it.each([
    ['a request that waits to decode', requestOf('/photo.jpg'), 'decode'],
    ['a request that waits to encode', requestOf('/photo.jpg'), 'encode'],
    ['a prewarm that waits to decode', prewarmOf('/photo.jpg'), 'decode'],
    ['a prewarm that waits to encode', prewarmOf('/photo.jpg'), 'encode'],
  ] as const)('leaves nothing of %s', async (_name, work, step) => {
    const race = await setUpRace();
    const { encoder, hold } = holdEncoder(step);
    await purgeDuring(race, work, hold, { encoder });
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });

  it.each([
    ['a request', requestOf('/photo.jpg')],
    ['a prewarm', prewarmOf('/photo.jpg')],
  ])('leaves nothing of %s that waits for the client’s server', async (_name, work) => {
    const race = await setUpRace();
    const hold = createHold();
    const photo = await photograph();
    const origin = await startOrigin(async (_request, response) => {
      await hold.pass();
      response.end(photo);
    });
    const env = { ...race.env, SOURCE_ALLOW_PRIVATE: origin.authority };
    await purgeDuring({ ...race, origin, env }, work, hold, {});
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });

  it('leaves nothing of a variant that is still being put when another of its image has failed', async () => {
    const race = await setUpRace();
    const files = createFileStore({ root: race.folder });
    const { store: held, hold } = holdStore(files, { operation: 'put', key: /\.avif$/, when: 'before' });
    const put = createHold();
    const store: typeof held = {
      ...held,
      async put(key, ...rest) {
        const stored = await held.put(key, ...rest);
        if (key.endsWith('.avif')) void put.pass();
        return stored;
      },
    };
    const real = createEncoder();
    const encoder: Encoder = {
      async decode(...args) {
        const image = await real.decode(...args);
        const encode: typeof image.encode = async (request) => {
          if (request.format === 'webp') throw new Error('no memory');
          return await image.encode(request);
        };
        return { ...image, encode };
      },
    };
    await purgeDuring(race, prewarmOf('/photo.jpg'), hold, { store, encoder });
    await put.reached;
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });

  it('leaves nothing of a job that is done between the tombstone and the deletion', async () => {
    const race = await setUpRace();
    const { units } = race.other.unitServices;
    const job = await units.submit(unitOf(race.origin, '/photo.jpg'), { retry: false });
    const purger = await startHeldService(race, { operation: 'replace', key: TOMBSTONE, when: 'after' });
    const purging = purger.unitServices.units.purge([UNIT]);
    await purger.hold.reached;
    await units.prewarm(job, () => {}).catch(() => {});
    purger.hold.release();
    await purging;
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });

  it('leaves nothing of a unit that waits in the queue, and does not fetch its images', async () => {
    const { other, origin, purge, folder } = await setUpRace();
    const { units } = other.unitServices;
    const job = await units.submit(unitOf(origin, '/photo.jpg'), { retry: false });
    await purge();
    const outcomes: unknown[] = [];
    await units.prewarm(job, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]);
    expect(origin.requests).toEqual([]);
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('leaves nothing of work that began after another purge whose tombstone is stored last', async () => {
    const race = await setUpRace();
    const slow = await startHeldService(race, { operation: 'replace', key: TOMBSTONE, when: 'before' });
    const slowPurge = slow.unitServices.units.purge([UNIT]);
    await slow.hold.reached;
    const worker = await startHeldService(race, { operation: 'put', key: VARIANT, when: 'before' });
    const work = requestOf('/photo.jpg')(worker, race.origin);
    await worker.hold.reached;
    await race.purge();
    slow.hold.release();
    await slowPurge;
    worker.hold.release();
    await work;
    expect(await keysOfUnits(race.folder)).toEqual([]);
  });
});

describe('a service that cannot read the tombstone', () => {
  it.each([
    ['variant', '/photo.jpg'],
    ['source record', '/gone.jpg'],
  ])('keeps no %s', async (_name, path) => {
    const { folder, env, origin } = await setUpRace();
    const files = createFileStore({ root: folder });
    const store: typeof files = {
      ...files,
      get: async (key) => {
        if (TOMBSTONE.test(key)) throw new Error('slow down');
        return await files.get(key);
      },
    };
    await requestOf(path)(await startService(env, { store }), origin);
    expect(origin.requests).toEqual([path]);
    expect(await keysOfUnits(folder)).toEqual([]);
  });
});
