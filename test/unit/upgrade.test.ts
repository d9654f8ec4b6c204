import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { type VariantName, variantAddress } from '../../src/protocol/keys.ts';
import type { Overrides } from '../../src/services.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { startOrigin, startService, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { holdStore } from '../support/store/held-store.ts';

const CACHE_CONTROL = 'public, max-age=604800, s-maxage=31536000';
const SOON = 'public, max-age=604800, s-maxage=60';

/** A service on a client's server that does something before it answers for the second time. */
async function setUp(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const photo = await photograph();
  let meanwhile: () => Promise<unknown> = async () => {};
  const origin = await startOrigin(async (request, response) => {
    if (origin.requests.filter((path) => path === request.url).length > 1) await meanwhile();
    if (request.url === '/gone.jpg' && origin.requests.length > 1) response.writeHead(404).end();
    else response.end(photo);
  });
  const allowed = { SOURCE_ALLOW_PRIVATE: origin.authority, UPGRADE: 'on', ...env };
  const service = await startService(allowed, overrides);
  const { units, queue } = service.unitServices;
  const { store } = service.services.shared;
  const nameOf = (path: string): VariantName => ({
    unit: 'unit-1',
    src: `${origin.url}${path}`,
    width: 160,
    tier: 'balanced',
    format: 'webp',
  });
  const ask = async (path: string) => {
    const { src, ...said } = nameOf(path);
    return await service.request(await targetFor(src, said));
  };
  const look = async (path: string) => await store.head(variantAddress(nameOf(path), sha256).key);
  const effortOf = async (path: string) => (await look(path))?.metadata['effort'];
  /** Makes it quickly, as a viewer would, and leaves the rest to the test. */
  const upgrade = async (path: string) => {
    const { unit, ...rest } = nameOf(path);
    await units.upgrade(unit, rest);
  };
  const during = (work: () => Promise<unknown>) => {
    meanwhile = work;
  };
  return { ask, during, effortOf, look, nameOf, origin, queue, service, store, units, upgrade };
}

/** A folder whose puts of some keys may fail, and that tells how many jobs were put on its queue. */
async function faultyFolder() {
  const files = createFileStore({ root: await temporaryFolder() });
  const world = { full: /^$/, jobs: 0 };
  const store: VariantStore = {
    ...files,
    async put(key, ...rest) {
      if (world.full.test(key)) throw new Error('no space left on device');
      if (key.startsWith('queue/')) world.jobs++;
      return await files.put(key, ...rest);
    },
  };
  return { store, world };
}

describe('a variant that was made quickly', () => {
  it('is made anew once it was served, as good as can be, for the CDN to find when it comes back', async () => {
    const { ask, effortOf, look, origin } = await setUp();
    const made = await ask('/a.jpg');
    expect([made.status, made.headers.get('cache-control')]).toEqual([200, SOON]);
    await expect.poll(() => effortOf('/a.jpg'), { timeout: 20_000 }).toBe('best');
    const quick = Number(made.headers.get('content-length'));
    const best = await look('/a.jpg');
    expect(best?.cacheControl).toBe(CACHE_CONTROL);
    expect(best?.bytes).toBeLessThan(quick);
    const hit = await ask('/a.jpg');
    expect([hit.headers.get('cache-control'), hit.headers.get('etag')]).toEqual([CACHE_CONTROL, best?.etag]);
    expect(origin.requests).toHaveLength(2);
  });

  it('is asked for once, however often it is served', async () => {
    const { ask, during, effortOf, origin } = await setUp();
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    during(() => held);
    for (const _ of [1, 2, 3]) expect((await ask('/a.jpg')).headers.get('cache-control')).toBe(SOON);
    goOn();
    await expect.poll(() => effortOf('/a.jpg'), { timeout: 20_000 }).toBe('best');
    await ask('/a.jpg');
    expect(origin.requests).toHaveLength(2);
  });

  it('is asked for only where it is kept, and is not the best already', async () => {
    const { store, world } = await faultyFolder();
    const { ask, effortOf, origin, service } = await setUp({}, { store });
    world.full = /\.webp$/;
    expect((await ask('/a.jpg')).headers.get('cache-status')).toBe('edgepress; fwd=miss');
    await service.services.beforeFreeze();
    expect(world.jobs).toBe(0);
    world.full = /^$/;
    await ask('/a.jpg');
    await expect.poll(() => effortOf('/a.jpg'), { timeout: 20_000 }).toBe('best');
    const another = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, UPGRADE: 'on' }, { store });
    const hit = await another.request(
      await targetFor(`${origin.url}/a.jpg`, { width: 160, tier: 'balanced', format: 'webp' }),
    );
    expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
    await another.services.beforeFreeze();
    expect(world.jobs).toBe(1);
  });

  it('is made anew once, though its job comes twice', async () => {
    const { ask, effortOf, origin, upgrade } = await setUp({ UPGRADE: 'off' });
    await ask('/a.jpg');
    await upgrade('/a.jpg');
    await upgrade('/a.jpg');
    expect(await effortOf('/a.jpg')).toBe('best');
    expect(origin.requests).toHaveLength(2);
  });

  it('stays as it is where nobody wants better', async () => {
    const { ask, effortOf, queue } = await setUp({ UPGRADE: 'off' });
    await ask('/a.jpg');
    const hit = await ask('/a.jpg');
    expect(hit.headers.get('cache-control')).toBe(CACHE_CONTROL);
    expect([await effortOf('/a.jpg'), await queue.depth()]).toEqual(['fast', 0]);
  });

  it('leaves nothing where its unit was purged, before or while it is made anew', async () => {
    const { ask, during, look, units, upgrade } = await setUp({ UPGRADE: 'off' });
    await ask('/a.jpg');
    await units.purge(['unit-1']);
    await upgrade('/a.jpg');
    expect(await look('/a.jpg')).toBeUndefined();
    await ask('/b.jpg');
    during(() => units.purge(['unit-1']));
    await upgrade('/b.jpg');
    expect(await look('/b.jpg')).toBeUndefined();
  });

  it('leaves nothing where it is made anew between the mark of a purge and its deletion', async () => {
    const { ask, look, origin, service, upgrade } = await setUp({ UPGRADE: 'off' });
    await ask('/a.jpg');
    const step = { operation: 'put', key: /^purged\//, when: 'after' } as const;
    const { store, hold } = holdStore(createFileStore({ root: service.folder }), step);
    const other = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store });
    const purging = other.unitServices.units.purge(['unit-1']);
    await hold.reached;
    await upgrade('/a.jpg');
    hold.release();
    await purging;
    expect(await look('/a.jpg')).toBeUndefined();
  });

  it('gives way to what was put there meanwhile', async () => {
    const { ask, during, look, nameOf, store, upgrade } = await setUp({ UPGRADE: 'off' });
    await ask('/a.jpg');
    const { key } = variantAddress(nameOf('/a.jpg'), sha256);
    const newer = { contentType: 'image/webp', metadata: { effort: 'best' } };
    during(() => store.put(key, Buffer.from('newer'), newer));
    await upgrade('/a.jpg');
    expect(await look('/a.jpg')).toMatchObject({ bytes: 5, metadata: newer.metadata });
  });

  it('stays when its source is gone by then', async () => {
    const { ask, effortOf, upgrade } = await setUp({ UPGRADE: 'off' });
    await ask('/gone.jpg');
    await upgrade('/gone.jpg');
    expect(await effortOf('/gone.jpg')).toBe('fast');
  });

  it('is to be made anew by the job that comes again, where what failed is ours', async () => {
    const { store, world } = await faultyFolder();
    const { ask, effortOf, upgrade } = await setUp({ UPGRADE: 'off' }, { store });
    await ask('/gone.jpg');
    world.full = /source\.json$/;
    await expect(upgrade('/gone.jpg')).rejects.toThrow('could not be saved');
    expect(await effortOf('/gone.jpg')).toBe('fast');
  });
});
