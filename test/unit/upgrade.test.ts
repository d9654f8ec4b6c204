import { describe, expect, it } from 'vitest';
import { RECIPE } from '../../src/encode/encoder.ts';
import { sha256 } from '../../src/hashing.ts';
import { type VariantName, variantAddress } from '../../src/protocol/keys.ts';
import type { Job } from '../../src/queue/queue.ts';
import type { Overrides } from '../../src/services.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createRequestUpgrade } from '../../src/unit/upgrade.ts';
import { startOrigin, startService, targetFor, temporaryFolder, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { holdStore } from '../support/store/held-store.ts';

const CACHE_CONTROL = 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400';
const SHORT_CACHE_CONTROL = 'public, max-age=604800, s-maxage=60, stale-while-revalidate=86400';

/** Starts a service, and an origin that calls back before it answers a second request. */
async function setUp(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const photo = await photograph();
  let onSecondFetch: () => Promise<unknown> = async () => {};
  const origin = await startOrigin(async (request, response) => {
    if (origin.requests.filter((path) => path === request.url).length > 1) await onSecondFetch();
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
  const request = async (path: string) => {
    const { src, ...parts } = nameOf(path);
    return await service.request(targetFor(src, parts));
  };
  const read = async (path: string) => await store.head(variantAddress(nameOf(path), sha256).key);
  const effortOf = async (path: string) => (await read(path))?.metadata['effort'];
  const untilBest = (path: string) => until(async () => (await effortOf(path)) === 'best');
  /** Upgrades a variant in this process, without a queue. */
  const upgrade = async (path: string) => {
    const { unit, ...rest } = nameOf(path);
    await units.upgrade(unit, rest);
  };
  const beforeSecondFetch = (callback: () => Promise<unknown>) => {
    onSecondFetch = callback;
  };
  return {
    ...{ beforeSecondFetch, effortOf, nameOf, origin, queue, read, request },
    ...{ service, store, units, untilBest, upgrade },
  };
}

/** A store in a folder whose puts of some keys fail, and that counts the jobs that are put. */
async function createFailingStore() {
  const files = createFileStore({ root: await temporaryFolder() });
  const puts: { failing: RegExp | undefined; jobs: number } = { failing: undefined, jobs: 0 };
  const store: VariantStore = {
    ...files,
    async put(key, ...rest) {
      if (puts.failing?.test(key)) throw new Error('no space left on device');
      if (key.startsWith('queue/')) puts.jobs++;
      return await files.put(key, ...rest);
    },
  };
  return { store, puts };
}

describe('a request for a variant, with UPGRADE=on', () => {
  it('has the variant made again at effort best, with fewer bytes and the full cache lifetime', async () => {
    const { request, untilBest, read, origin } = await setUp();
    const fast = await request('/a.jpg');
    expect([fast.status, fast.headers.get('cache-control')]).toEqual([200, SHORT_CACHE_CONTROL]);
    await untilBest('/a.jpg');
    const best = await read('/a.jpg');
    expect(best?.cacheControl).toBe(CACHE_CONTROL);
    expect(best?.bytes).toBeLessThan(Number(fast.headers.get('content-length')));
    const hit = await request('/a.jpg');
    expect([hit.headers.get('cache-control'), hit.headers.get('etag')]).toEqual([CACHE_CONTROL, best?.etag]);
    expect(origin.requests).toHaveLength(2);
  });

  it('requests the upgrade once, however often the variant is served', async () => {
    const { request, beforeSecondFetch, untilBest, origin } = await setUp();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    beforeSecondFetch(() => released);
    for (const _ of [1, 2, 3])
      expect((await request('/a.jpg')).headers.get('cache-control')).toBe(SHORT_CACHE_CONTROL);
    release();
    await untilBest('/a.jpg');
    await request('/a.jpg');
    expect(origin.requests).toHaveLength(2);
  });

  it('requests no upgrade of a variant that was not stored', async () => {
    const { store, puts } = await createFailingStore();
    const { request, service } = await setUp({}, { store });
    puts.failing = /\.webp$/;
    expect((await request('/a.jpg')).headers.get('cache-status')).toBe('edgepress; fwd=miss');
    await service.services.beforeFreeze();
    expect(puts.jobs).toBe(0);
  });

  it('serves a variant that was made with an earlier recipe, and has it made again', async () => {
    const { request, untilBest, read, nameOf, store } = await setUp();
    const { key } = variantAddress(nameOf('/a.jpg'), sha256);
    const metadata = { effort: 'best', began: new Date().toISOString() };
    await store.put(key, Buffer.from('earlier'), { contentType: 'image/webp', metadata });
    const hit = await request('/a.jpg');
    expect([hit.headers.get('cache-status'), await hit.text()]).toEqual(['edgepress; hit', 'earlier']);
    await until(async () => (await read('/a.jpg'))?.metadata['recipe'] === String(RECIPE));
    await untilBest('/a.jpg');
  });

  it('requests no upgrade of a variant that was made at effort best', async () => {
    const { store, puts } = await createFailingStore();
    const { request, untilBest, origin } = await setUp({}, { store });
    await request('/a.jpg');
    await untilBest('/a.jpg');
    const other = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, UPGRADE: 'on' }, { store });
    const hit = await other.request(
      targetFor(`${origin.url}/a.jpg`, { width: 160, tier: 'balanced', format: 'webp' }),
    );
    expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
    await other.services.beforeFreeze();
    expect(puts.jobs).toBe(1);
  });
});

describe('a request for a variant, with UPGRADE=off', () => {
  it('keeps the variant as it was made, with the full cache lifetime', async () => {
    const { request, effortOf, queue } = await setUp({ UPGRADE: 'off' });
    await request('/a.jpg');
    const hit = await request('/a.jpg');
    expect(hit.headers.get('cache-control')).toBe(CACHE_CONTROL);
    expect([await effortOf('/a.jpg'), await queue.depth()]).toEqual(['fast', 0]);
  });
});

describe('an upgrade', () => {
  it('keeps the budget of a variant that was made with an earlier recipe', async () => {
    const { effortOf, read, nameOf, store, upgrade } = await setUp({ UPGRADE: 'off' });
    const { key } = variantAddress(nameOf('/a.jpg'), sha256);
    const metadata = { effort: 'best', 'max-bytes': '3000', began: new Date().toISOString() };
    await store.put(key, Buffer.alloc(4000), { contentType: 'image/webp', metadata });
    await upgrade('/a.jpg');
    expect((await read('/a.jpg'))?.bytes).toBeLessThanOrEqual(3000);
    expect(await effortOf('/a.jpg')).toBe('best');
    expect((await read('/a.jpg'))?.metadata['max-bytes']).toBe('3000');
  });

  it('makes a variant again once, although its job is delivered twice', async () => {
    const { request, effortOf, origin, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/a.jpg');
    await upgrade('/a.jpg');
    await upgrade('/a.jpg');
    expect(await effortOf('/a.jpg')).toBe('best');
    expect(origin.requests).toHaveLength(2);
  });

  it('stores nothing when the unit was purged before', async () => {
    const { request, read, units, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/a.jpg');
    await units.purge(['unit-1']);
    await upgrade('/a.jpg');
    expect(await read('/a.jpg')).toBeUndefined();
  });

  it('leaves nothing when the unit is purged while the variant is made', async () => {
    const { request, beforeSecondFetch, read, units, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/b.jpg');
    beforeSecondFetch(() => units.purge(['unit-1']));
    await upgrade('/b.jpg');
    expect(await read('/b.jpg')).toBeUndefined();
  });

  it('leaves nothing when it is made between the tombstone and the deletion of a purge', async () => {
    const { request, read, origin, service, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/a.jpg');
    const step = { operation: 'replace', key: /^purged\//, when: 'after' } as const;
    const { store, hold } = holdStore(createFileStore({ root: service.folder }), step);
    const other = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store });
    const purging = other.unitServices.units.purge(['unit-1']);
    await hold.reached;
    await upgrade('/a.jpg');
    hold.release();
    await purging;
    expect(await read('/a.jpg')).toBeUndefined();
  });

  it('does not replace a variant that was stored meanwhile', async () => {
    const { request, beforeSecondFetch, read, nameOf, store, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/a.jpg');
    const { key } = variantAddress(nameOf('/a.jpg'), sha256);
    const newer = { contentType: 'image/webp', metadata: { effort: 'best' } };
    beforeSecondFetch(() => store.put(key, Buffer.from('newer'), newer));
    await upgrade('/a.jpg');
    expect(await read('/a.jpg')).toMatchObject({ bytes: 5, metadata: newer.metadata });
  });

  it('keeps the variant when its source is gone', async () => {
    const { request, effortOf, upgrade } = await setUp({ UPGRADE: 'off' });
    await request('/gone.jpg');
    await upgrade('/gone.jpg');
    expect(await effortOf('/gone.jpg')).toBe('fast');
  });

  it('throws, so that its job is delivered again, when the failure of the source cannot be stored', async () => {
    const { store, puts } = await createFailingStore();
    const { request, effortOf, upgrade } = await setUp({ UPGRADE: 'off' }, { store });
    await request('/gone.jpg');
    puts.failing = /source\.json$/;
    await expect(upgrade('/gone.jpg')).rejects.toThrow('could not be saved');
    expect(await effortOf('/gone.jpg')).toBe('fast');
  });
});

describe('createRequestUpgrade', () => {
  it('requests an upgrade again that could not be sent, once the variant is served again', async () => {
    const sent: Job[] = [];
    let isDown = true;
    const requestUpgrade = createRequestUpgrade(async (job) => {
      sent.push(job);
      if (isDown) throw new Error('the queue is down');
    });
    const upgrade = { src: 'https://a.test/a.jpg', width: 160, tier: 'balanced', format: 'avif' } as const;
    const serve = async () => {
      requestUpgrade({ unit: 'unit-1', ...upgrade }, 'a key');
      // The send fails after the answer.
      await new Promise(setImmediate);
    };
    await serve();
    isDown = false;
    await serve();
    await serve();
    const job = { unit: 'unit-1', images: 1, retry: false, upgrade, client: 'a.test' };
    expect(sent).toEqual([job, job]);
  });
});
