import { describe, expect, it, onTestFinished } from 'vitest';
import type { Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import {
  type Origin,
  startOrigin,
  startService,
  targetFor,
  temporaryFolder,
} from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/setup/program.ts';
import { createHold, type Hold, holdStore, keysOfUnits, type StoreStep } from '../support/unit/held.ts';

const VARIANT = /^v1\/.*\.(avif|webp|jpeg)$/;
const RECORD = /source\.json$/;
const MANIFEST = /manifest\.json$/;
const MARK = /^purged\//;
const UNIT_FOLDER = /^v1\/[0-9a-f]{2}\/unit-1$/;

/** A client's server, a folder, and a process beside the one that is held, which purges. */
async function setUp() {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    if (request.url === '/gone.jpg') response.writeHead(404).end();
    else response.end(photo);
  });
  const folder = await temporaryFolder();
  const env = { STORE: `file:${folder}`, SOURCE_ALLOW_PRIVATE: origin.authority };
  const other = await startService(env);
  return { origin, folder, env, purge: () => other.unitServices.units.purge(['unit-1']), other };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** What may be in flight when a unit is purged. */
type Work = (service: Awaited<ReturnType<typeof startService>>, origin: Origin) => Promise<unknown>;

const requestOf =
  (path: string): Work =>
  async (service, origin) =>
    service.request(await targetFor(`${origin.url}${path}`, { width: 160 }));
const unitOf = (origin: Origin, path: string) =>
  ({
    id: 'unit-1',
    images: [{ src: `${origin.url}${path}` }],
    widths: [160],
    tiers: ['balanced'],
    formats: ['avif', 'webp'],
  }) as const;
const prewarmOf =
  (path: string): Work =>
  async ({ unitServices: { units } }, origin) => {
    const job = await units.accept(unitOf(origin, path), { retry: false });
    // It fails when it finds that what it made was purged.
    await units.prewarm(job, () => {}).catch(() => {});
  };

/** Runs the work up to the step, purges in another process, and lets it go on to its end. */
async function purgeDuring(world: World, work: Work, hold: Hold, overrides: object): Promise<void> {
  const service = await startService(world.env, overrides);
  const done = work(service, world.origin);
  await Promise.race([
    hold.reached,
    done.then(() => Promise.reject(new Error('the step was never reached'))),
  ]);
  await world.purge();
  hold.letGo();
  await done;
}

async function purgeAtStoreStep(work: Work, step: StoreStep): Promise<World> {
  const world = await setUp();
  const { store, hold } = holdStore(createFileStore({ root: world.folder }), step);
  await purgeDuring(world, work, hold, { store });
  return world;
}

/** An encoder that is held before it decodes, or before it encodes. */
function heldEncoder(step: 'decode' | 'encode'): { encoder: Encoder; hold: Hold } {
  const real = createSharpEncoder({ concurrency: 1, maxPixels: 10_000_000 });
  const hold = createHold();
  const encoder: Encoder = {
    async decode(...args) {
      if (step === 'decode') await hold.pass();
      const image = await real.decode(...args);
      return {
        facts: image.facts,
        async encode(request) {
          if (step === 'encode') await hold.pass();
          return await image.encode(request);
        },
      };
    },
  };
  return { encoder, hold };
}

describe('a purge wins over', () => {
  const look = (key: RegExp): StoreStep[] => [
    { operation: 'put', key, when: 'before' },
    { operation: 'put', key, when: 'after' },
    { operation: 'get', key: MARK, when: 'before' },
    { operation: 'get', key: MARK, when: 'after' },
  ];
  const steps: [string, Work, StoreStep[]][] = [
    [
      'a request',
      requestOf('/photo.jpg'),
      [
        { operation: 'get', key: VARIANT, when: 'before' },
        { operation: 'get', key: VARIANT, when: 'after' },
        { operation: 'get', key: RECORD, when: 'before' },
        { operation: 'get', key: RECORD, when: 'after' },
        ...look(VARIANT),
      ],
    ],
    ['a request for a broken source', requestOf('/gone.jpg'), look(RECORD)],
    [
      'a prewarm',
      prewarmOf('/photo.jpg'),
      [
        ...look(MANIFEST),
        { operation: 'get', key: MANIFEST, when: 'before' },
        { operation: 'get', key: MANIFEST, when: 'after' },
        { operation: 'list', key: UNIT_FOLDER, when: 'before' },
        { operation: 'list', key: UNIT_FOLDER, when: 'after' },
        { operation: 'put', key: VARIANT, when: 'before' },
        { operation: 'put', key: VARIANT, when: 'after' },
      ],
    ],
    ['a prewarm of a broken source', prewarmOf('/gone.jpg'), look(RECORD)],
  ];
  for (const [name, work, where] of steps) {
    it.each(where.map((step) => [step.when, step.operation, String(step.key), step] as const))(
      `${name} that is held %s the %s of %s`,
      async (_when, _operation, _key, step) => {
        const { folder } = await purgeAtStoreStep(work, step);
        expect(await keysOfUnits(folder)).toEqual([]);
      },
    );
  }

  it.each([
    ['a request', requestOf('/photo.jpg')],
    ['a prewarm', prewarmOf('/photo.jpg')],
  ])('%s that is held at the encoder, or at the client’s server', async (_name, work) => {
    for (const step of ['decode', 'encode'] as const) {
      const world = await setUp();
      const { encoder, hold } = heldEncoder(step);
      await purgeDuring(world, work, hold, { encoder });
      expect(await keysOfUnits(world.folder)).toEqual([]);
    }
    const world = await setUp();
    const hold = createHold();
    const photo = await photograph();
    const origin = await startOrigin(async (_request, response) => {
      await hold.pass();
      response.end(photo);
    });
    const env = { ...world.env, SOURCE_ALLOW_PRIVATE: origin.authority };
    await purgeDuring({ ...world, origin, env }, work, hold, {});
    expect(await keysOfUnits(world.folder)).toEqual([]);
  });

  it('a variant that is still being put when another of its image has failed', async () => {
    const world = await setUp();
    const files = createFileStore({ root: world.folder });
    const { store, hold } = holdStore(files, { operation: 'put', key: /\.avif$/, when: 'before' });
    const put = createHold();
    const real = createSharpEncoder({ concurrency: 1, maxPixels: 10_000_000 });
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
    const tells: typeof store = {
      ...store,
      async put(key, ...rest) {
        const stored = await store.put(key, ...rest);
        if (key.endsWith('.avif')) void put.pass();
        return stored;
      },
    };
    await purgeDuring(world, prewarmOf('/photo.jpg'), hold, { store: tells, encoder });
    await put.reached;
    expect(await keysOfUnits(world.folder)).toEqual([]);
  });

  it('a job that is taken up between the mark and the deletion', async () => {
    const { folder, env, origin, other } = await setUp();
    const { units } = other.unitServices;
    const job = await units.accept(unitOf(origin, '/photo.jpg'), { retry: false });
    const step = { operation: 'put', key: MARK, when: 'after' } as const;
    const { store, hold } = holdStore(createFileStore({ root: folder }), step);
    const purging = (await startService(env, { store })).unitServices.units.purge(['unit-1']);
    await hold.reached;
    await units.prewarm(job, () => {}).catch(() => {});
    hold.letGo();
    await purging;
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('a unit that waits on the queue', async () => {
    const { other, origin, purge, folder } = await setUp();
    const { units } = other.unitServices;
    const job = await units.accept(unitOf(origin, '/photo.jpg'), { retry: false });
    await purge();
    const outcomes: unknown[] = [];
    await units.prewarm(job, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]);
    expect(origin.requests).toEqual([]);
    expect(await keysOfUnits(folder)).toEqual([]);
  });
});

it.each(['/photo.jpg', '/gone.jpg'])('nothing is kept of %s while no mark can be read', async (path) => {
  const { folder, env, origin } = await setUp();
  const files = createFileStore({ root: folder });
  const store: typeof files = {
    ...files,
    get: async (key) => {
      if (MARK.test(key)) throw new Error('slow down');
      return await files.get(key);
    },
  };
  await requestOf(path)(await startService(env, { store }), origin);
  expect(origin.requests).toEqual([path]);
  expect(await keysOfUnits(folder)).toEqual([]);
});

describe('after a purge', () => {
  it('the same URL makes the variant anew, and it is kept', async () => {
    const { folder, other, origin } = await purgeAtStoreStep(requestOf('/photo.jpg'), {
      operation: 'put',
      key: VARIANT,
      when: 'after',
    });
    const ask = async () =>
      (await other.request(await targetFor(`${origin.url}/photo.jpg`, { width: 160 }))).headers.get(
        'cache-status',
      );
    expect(await ask()).toBe('edgepress; fwd=miss; stored');
    expect(await ask()).toBe('edgepress; hit');
    expect(await keysOfUnits(folder)).toHaveLength(1);
  });

  it('a unit that is sent again before the deletion has come to it stays', async () => {
    const { folder, env, origin, other } = await setUp();
    const { units } = other.unitServices;
    await units.accept(unitOf(origin, '/before.jpg'), { retry: false });
    const step = { operation: 'put', key: MARK, when: 'after' } as const;
    const { store, hold } = holdStore(createFileStore({ root: folder }), step);
    const purging = (await startService(env, { store })).unitServices.units.purge(['unit-1']);
    await hold.reached;
    const job = await units.accept(unitOf(origin, '/after.jpg'), { retry: false });
    await units.prewarm(job, () => {});
    hold.letGo();
    await purging;
    expect((await units.status('unit-1'))?.images).toMatchObject([
      { src: `${origin.url}/after.jpg`, state: 'ready' },
    ]);
  });

  it('a unit that is sent again stays, though the clock of whoever purged was ahead', async () => {
    const { env, origin, other } = await setUp();
    const ahead = await startService(env, { nowMs: () => Date.now() + 500 });
    await ahead.unitServices.units.purge(['unit-1']);
    const { units } = other.unitServices;
    const job = await units.accept(unitOf(origin, '/photo.jpg'), { retry: false });
    await units.prewarm(job, () => {});
    expect((await units.status('unit-1'))?.totals).toMatchObject({ ready: 1 });
  });

  it('a unit whose sender’s clock was ahead is gone all the same', async () => {
    const { env, origin, folder, purge } = await setUp();
    const ahead = await startService(env, { nowMs: () => Date.now() + 500 });
    const { units } = ahead.unitServices;
    const job = await units.accept(unitOf(origin, '/photo.jpg'), { retry: false });
    await units.prewarm(job, () => {});
    await purge();
    expect(await keysOfUnits(folder)).toEqual([]);
  });

  it('what began before takes back its own, and not what was sent anew', async () => {
    const world = await setUp();
    const step = { operation: 'put', key: MANIFEST, when: 'after' } as const;
    const { store, hold } = holdStore(createFileStore({ root: world.folder }), step);
    const early = await startService(world.env, { store });
    const accepted = early.unitServices.units.accept(unitOf(world.origin, '/early.jpg'), { retry: false });
    await hold.reached;
    await world.purge();
    const { units } = world.other.unitServices;
    const job = await units.accept(unitOf(world.origin, '/later.jpg'), { retry: false });
    await units.prewarm(job, () => {});
    hold.letGo();
    await accepted;
    const status = await units.status('unit-1');
    expect(status?.images).toMatchObject([{ src: `${world.origin.url}/later.jpg`, state: 'ready' }]);
  });
});

describe('what a process leaves that dies between its put and its look', () => {
  it('goes when the service starts again, and nothing else does', async () => {
    const { folder, env, origin, purge, other } = await setUp();
    const src = `${origin.url}/photo.jpg`;
    const doomed = runProgram(
      'test/support/unit/die-after-put.ts',
      [await targetFor(src, { width: 160 })],
      env,
    );
    await doomed.printed(/putting/);
    await purge();
    const kept = await other.request(await targetFor(src, { width: 320 }));
    expect(kept.status).toBe(200);
    doomed.process.stdin?.write('go on\n');
    expect(await doomed.ended).toBeNull();
    expect(await keysOfUnits(folder)).toHaveLength(2);
    const { units } = (await startService(env)).unitServices;
    await units.sweep();
    expect(await keysOfUnits(folder)).toEqual([expect.stringMatching(/320-balanced\.jpeg$/)]);
  });

  it('goes when its message comes again', async () => {
    const { folder, env, origin, purge, other } = await setUp();
    const { units } = other.unitServices;
    const job = await units.accept(unitOf(origin, '/photo.jpg'), { retry: false });
    const step = { operation: 'put', key: VARIANT, when: 'before' } as const;
    const { store, hold } = holdStore(createFileStore({ root: folder }), step);
    // While this test looks, it never comes back from its look.
    const look = createHold();
    const dies: typeof store = {
      ...store,
      async get(key) {
        if (MARK.test(key)) await look.pass();
        return await store.get(key);
      },
    };
    const doomed = await startService(env, { store: dies });
    onTestFinished(look.letGo);
    void doomed.request(await targetFor(`${origin.url}/photo.jpg`, { width: 160 }));
    await hold.reached;
    await purge();
    hold.letGo();
    await look.reached;
    expect(await keysOfUnits(folder)).toHaveLength(1);
    await units.prewarm(job, () => {});
    expect(await keysOfUnits(folder)).toEqual([]);
  });
});
