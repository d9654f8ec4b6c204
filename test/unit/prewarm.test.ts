import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { ImageOutcome, VariantSummary } from '../../src/unit/outcome.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { startOrigin, startService, targetFor } from '../support/http/service.ts';
import { keysOfUnits } from '../support/store/held-store.ts';
import { setUpUnits } from '../support/unit/set-up-units.ts';

/** The first image of a unit, and its first variant. */
function readyImage([outcome]: readonly ImageOutcome[]): { variant: VariantSummary; skipped: boolean } {
  if (outcome?.state !== 'ready') throw new Error('it is not ready');
  return { variant: outcome.variants[0] as VariantSummary, skipped: outcome.skipped };
}

describe('prewarming a unit', () => {
  it('makes exactly the variants that requests look up, the widest with the same bytes', async () => {
    const { origin, service, src, unit, prewarm } = await setUpUnits({}, { PREWARM_EFFORT: 'fast' });
    const { outcomes } = await prewarm(
      unit([src('/a.jpg')], { widths: [160, 480], formats: ['avif', 'jpeg'] }),
    );
    expect(outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    const other = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    for (const width of [160, 480]) {
      for (const format of ['avif', 'jpeg'] as const) {
        const target = await targetFor(src('/a.jpg'), { width, format, tier: 'balanced' });
        const response = await service.request(target);
        expect(response.headers.get('cache-status')).toBe('edgepress; hit');
        const made = await other.request(target);
        expect(made.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
        // What is narrower than the widest was made of the same pixels, in one step more.
        const [one, another] = await Promise.all(
          [response, made].map(async (one) => Buffer.from(await one.arrayBuffer())),
        );
        if (width === 480) expect(one?.equals(another as Buffer)).toBe(true);
      }
    }
  });

  it('fetches a source once, however many variants and however often the unit has it', async () => {
    const { origin, src, unit, prewarm } = await setUpUnits();
    const { outcomes } = await prewarm(
      unit([src('/a.jpg'), src('/a.jpg')], { widths: [160, 320, 480], tiers: ['saver', 'high'] }),
    );
    expect(origin.requests).toEqual(['/a.jpg']);
    expect(outcomes).toHaveLength(2);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        state: 'ready',
        variants: expect.toSatisfy((all) => all.length === 12),
      });
    }
  });

  it('tells of each image in the order of the unit, in the form of the report', async () => {
    const { photo, src, unit, prewarm } = await setUpUnits({
      '/gone.jpg': (response) => response.writeHead(404).end(),
    });
    const { outcomes, fault } = await prewarm(unit([src('/gone.jpg'), src('/a.jpg')]));
    expect(fault).toBeUndefined();
    expect(outcomes).toEqual([
      {
        unit: 'unit-1',
        src: src('/gone.jpg'),
        state: 'broken',
        code: 'source_not_found',
        detail: expect.stringContaining('404'),
        retryable: false,
      },
      {
        unit: 'unit-1',
        src: src('/a.jpg'),
        state: 'ready',
        sourceBytes: photo.byteLength,
        variants: [
          { width: 160, tier: 'balanced', format: 'avif', type: 'image/avif', bytes: expect.any(Number) },
          { width: 160, tier: 'balanced', format: 'webp', type: 'image/webp', bytes: expect.any(Number) },
        ],
        skipped: false,
      },
    ]);
  });

  it('skips what is there without fetching, and makes only what is missing', async () => {
    const { origin, src, unit, prewarm, service } = await setUpUnits();
    await prewarm(unit([src('/a.jpg')]));
    const again = await prewarm(unit([src('/a.jpg')]));
    expect(again.outcomes).toMatchObject([
      { state: 'ready', skipped: true, sourceBytes: expect.any(Number) },
    ]);
    expect(origin.requests).toHaveLength(1);
    const before = await keysOfUnits(service.folder);
    const more = await prewarm(unit([src('/a.jpg')], { widths: [160, 320] }));
    expect(more.outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    expect(origin.requests).toHaveLength(2);
    const after = await keysOfUnits(service.folder);
    expect(after.filter((key) => !before.includes(key))).toEqual([
      expect.stringMatching(/320-balanced\.avif$/),
      expect.stringMatching(/320-balanced\.webp$/),
    ]);
  });

  it('makes the best of what a viewer was given quickly, and keeps that where its source is gone', async () => {
    let isThere = true;
    const { photo, service, src, unit, prewarm, units } = await setUpUnits({
      '/b.jpg': (response) => {
        if (isThere) response.end(photo);
        else response.writeHead(404).end();
      },
    });
    for (const path of ['/a.jpg', '/b.jpg'])
      await service.request(await targetFor(src(path), { width: 160, format: 'avif', tier: 'balanced' }));
    isThere = false;
    const wanted = unit([src('/a.jpg'), src('/b.jpg')], { formats: ['avif'] });
    expect((await prewarm(wanted)).outcomes).toMatchObject([
      { state: 'ready', skipped: false },
      { state: 'ready', skipped: false },
    ]);
    expect((await units.status('unit-1'))?.images).toMatchObject([
      { state: 'ready', variants: [{ effort: 'best' }] },
      { state: 'ready', variants: [{ effort: 'fast' }] },
    ]);
    expect((await prewarm(unit([src('/a.jpg')], { formats: ['avif'] }))).outcomes).toMatchObject([
      { skipped: true },
    ]);
  });

  it('keeps to a budget of bytes, and says where that cannot be met', async () => {
    const { src, unit, prewarm, units } = await setUpUnits();
    const wanted = { widths: [480], formats: ['avif'] } as const;
    const bytesOf = async (said: Partial<Unit>) => {
      const { outcomes } = await prewarm(unit([src('/a.jpg')], { ...wanted, ...said }));
      const { variant, skipped } = readyImage(outcomes);
      return { ...variant, skipped };
    };
    const free = await bytesOf({});
    const maxBytes = free.bytes - 1000;
    expect((await bytesOf({ maxBytes })).bytes).toBeLessThanOrEqual(maxBytes);
    expect(await bytesOf({ maxBytes })).toMatchObject({ skipped: true });
    expect(await bytesOf({ maxBytes: 100 })).toMatchObject({ overBudget: true, skipped: false });
    expect(await bytesOf({ maxBytes: 100 })).toMatchObject({ overBudget: true, skipped: true });
    expect((await units.status('unit-1'))?.images).toMatchObject([{ variants: [{ overBudget: true }] }]);
  });

  it('keeps to a budget of bytes, however quickly all else is made', async () => {
    const { src, unit, prewarm } = await setUpUnits({}, { PREWARM_EFFORT: 'fast' });
    const bytesOf = async (said: Partial<Unit>) => {
      const { outcomes } = await prewarm(unit([src('/a.jpg')], { formats: ['avif'], ...said }));
      return readyImage(outcomes).variant.bytes;
    };
    const maxBytes = Math.floor(0.8 * (await bytesOf({})));
    expect(await bytesOf({ maxBytes })).toBeLessThanOrEqual(maxBytes);
  });

  it('makes more images than it has in hand at once', async () => {
    const { src, unit, prewarm } = await setUpUnits({}, { CONCURRENCY: '1', PREWARM_EFFORT: 'fast' });
    const images = Array.from({ length: 40 }, (_, number) => src(`/${number}.jpg`));
    const { outcomes } = await prewarm(unit(images, { formats: ['jpeg'] }));
    expect(outcomes.filter(({ state }) => state === 'ready')).toHaveLength(images.length);
  });

  it('begins no image once it is told to end, and leaves the job to come again', async () => {
    const { src, unit, prewarm, service, units } = await setUpUnits();
    const images = unit([src('/a.jpg'), src('/b.jpg')]);
    await prewarm(images);
    const job = await units.submit(images, { retry: false });
    await service.unitServices.drain();
    const outcomes: unknown[] = [];
    await expect(units.prewarm(job, (outcome) => outcomes.push(outcome))).rejects.toThrow('is ending');
    expect(outcomes).toMatchObject([{ state: 'pending' }, { state: 'pending' }]);
  });

  it('leaves what is known as broken alone, unless it is told to try again', async () => {
    let isThere = false;
    const { photo, origin, src, unit, prewarm } = await setUpUnits({
      '/late.jpg': (response) => {
        if (isThere) response.end(photo);
        else response.writeHead(404).end();
      },
    });
    await prewarm(unit([src('/late.jpg')]));
    isThere = true;
    const remembered = await prewarm(unit([src('/late.jpg')]));
    expect(remembered.outcomes).toMatchObject([{ state: 'broken', code: 'source_not_found' }]);
    expect(origin.requests).toHaveLength(1);
    const retried = await prewarm(unit([src('/late.jpg')]), { retry: true });
    expect(retried.outcomes).toMatchObject([{ state: 'ready' }]);
  });

  it('keeps since when a source is broken while it is tried again', async () => {
    const { src, unit, prewarm, units } = await setUpUnits({
      '/gone.jpg': (response) => response.writeHead(404).end(),
    });
    await prewarm(unit([src('/gone.jpg')]));
    const first = await units.status('unit-1');
    await prewarm(unit([src('/gone.jpg')]), { retry: true });
    const second = await units.status('unit-1');
    const since = (status: typeof first) => status?.images.map((image) => 'since' in image && image.since);
    expect(since(second)).toEqual(since(first));
  });

  it('tries again what may pass, and not what will not', async () => {
    let attempts = 0;
    const { photo, origin, src, unit, prewarm } = await setUpUnits({
      '/flaky.jpg': (response) => {
        attempts++;
        if (attempts === 1) response.writeHead(500).end();
        else response.end(photo);
      },
      '/gone.jpg': (response) => response.writeHead(404).end(),
    });
    const { outcomes } = await prewarm(unit([src('/flaky.jpg'), src('/gone.jpg')]));
    expect(outcomes).toMatchObject([{ state: 'ready' }, { state: 'broken' }]);
    expect(origin.requests.filter((path) => path === '/flaky.jpg')).toHaveLength(2);
    expect(origin.requests.filter((path) => path === '/gone.jpg')).toHaveLength(1);
  });

  it('reports what no request could ask for, and what may not be fetched, without asking anyone', async () => {
    const { origin, src, unit, prewarm } = await setUpUnits({}, { SOURCE_ALLOW: 'https://*.example.test/*' });
    const { outcomes } = await prewarm(
      unit([
        'not a url',
        'ftp://example.test/a.jpg',
        'https://user:secret@example.test/a.jpg',
        `https://example.test/${'a'.repeat(5000)}`,
        `https://example.test/${'ü'.repeat(1000)}`,
        'https://example.test/\ud800',
        'http://999.1.1.1/',
        src('/elsewhere/a.jpg'),
      ]),
    );
    expect(outcomes.map((outcome) => 'code' in outcome && outcome.code)).toEqual([
      ...Array.from({ length: 7 }, () => 'bad_request'),
      'source_forbidden',
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        state: 'broken',
        retryable: false,
        detail: expect.stringMatching(/./),
      });
      expect(JSON.stringify(outcome)).not.toContain('secret"');
    }
    expect(origin.requests).toEqual([]);
  });

  it('never lets one broken image cost its neighbours anything', async () => {
    const { photo, src, unit, prewarm } = await setUpUnits({
      '/half.jpg': (response) => response.end(Buffer.alloc(0)),
      '/truncated.jpg': (response) => response.end(Buffer.from('ffd8ffe0', 'hex')),
      '/page.jpg': (response) => response.end('<!doctype html><p>no'),
    });
    const { outcomes, fault } = await prewarm(
      unit([src('/half.jpg'), src('/a.jpg'), src('/truncated.jpg'), src('/page.jpg'), src('/b.jpg')]),
    );
    expect(fault).toBeUndefined();
    expect(outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.state))).toEqual([
      'source_not_image',
      'ready',
      'source_corrupt',
      'source_not_image',
      'ready',
    ]);
    expect(photo.byteLength).toBeGreaterThan(0);
  });

  it('leaves an image pending that the store does not take, tells so, and makes it the next time', async () => {
    const { origin, src, unit, service } = await setUpUnits();
    const store = createFileStore({ root: service.folder });
    const full: typeof store = {
      ...store,
      put: async (key, ...rest) => {
        if (key.endsWith('.webp')) throw new Error('no space left on device');
        return await store.put(key, ...rest);
      },
    };
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority, STORE: `file:${service.folder}` };
    const { units } = (await startService(env, { store: full })).unitServices;
    const job = await units.submit(unit([src('/a.jpg')]), { retry: false });
    const outcomes: unknown[] = [];
    await expect(units.prewarm(job, (outcome) => outcomes.push(outcome))).rejects.toThrow(/not kept/);
    expect(outcomes).toEqual([
      { unit: 'unit-1', src: src('/a.jpg'), state: 'pending', detail: expect.stringContaining('not kept') },
    ]);
    const later: unknown[] = [];
    await service.unitServices.units.prewarm(job, (outcome) => later.push(outcome));
    expect(later).toMatchObject([{ state: 'ready', skipped: false }]);
  });

  it('accepts nothing that it cannot know to be kept, and says nothing that it cannot remember', async () => {
    const { origin, src, unit, service } = await setUpUnits({
      '/gone.jpg': (response) => response.writeHead(404).end(),
    });
    const store = createFileStore({ root: service.folder });
    const failing = { tombstones: false, records: false };
    const broken: typeof store = {
      ...store,
      get: async (key) => {
        if (failing.tombstones && key.startsWith('purged/')) throw new Error('slow down');
        return await store.get(key);
      },
      put: async (key, ...rest) => {
        if (failing.records && key.endsWith('source.json')) throw new Error('slow down');
        return await store.put(key, ...rest);
      },
    };
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority, STORE: `file:${service.folder}` };
    const { units } = (await startService(env, { store: broken })).unitServices;
    failing.tombstones = true;
    await expect(units.submit(unit([src('/a.jpg')]), { retry: false })).rejects.toThrow('slow down');
    failing.tombstones = false;
    failing.records = true;
    const job = await units.submit(unit([src('/gone.jpg')]), { retry: false });
    const outcomes: unknown[] = [];
    await expect(units.prewarm(job, (outcome) => outcomes.push(outcome))).rejects.toThrow(
      'could not be saved',
    );
    expect(outcomes).toMatchObject([{ state: 'pending' }]);
  });

  it('tries what is broken again once for each time that it is told to, however often the job comes', async () => {
    const { origin, src, unit, prewarm, units } = await setUpUnits({
      '/gone.jpg': (response) => response.writeHead(404).end(),
    });
    await prewarm(unit([src('/gone.jpg')]));
    const job = await units.submit(unit([src('/gone.jpg')]), { retry: true });
    for (let deliveries = 0; deliveries < 3; deliveries++) await units.prewarm(job, () => {});
    expect(origin.requests).toHaveLength(2);
  });

  it('goes on with other hosts while one hangs, whatever its share', async () => {
    const { origin, src, unit } = await setUpUnits();
    const hanging = await startOrigin(() => {});
    const service = await startService({
      SOURCE_ALLOW_PRIVATE: `${origin.authority},${hanging.authority}`,
      SOURCE_TIMEOUT_MS: '3000',
    });
    const slow = Array.from({ length: 100 }, (_, number) => `${hanging.url}/${number}`);
    const ours = service.unitServices.units;
    const stuck = await ours.submit(unit(slow, { id: 'stuck' }), { retry: false });
    const never = ours.prewarm(stuck, () => {}).catch(() => {});
    const job = await ours.submit(unit([src('/a.jpg'), src('/b.jpg')]), { retry: false });
    const outcomes: unknown[] = [];
    await ours.prewarm(job, (outcome) => outcomes.push(outcome));
    expect(outcomes).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
    await service.unitServices.drain();
    await never;
  });

  it('replaces the manifest when a unit is sent again', async () => {
    const { src, unit, prewarm, units } = await setUpUnits();
    await prewarm(unit([src('/a.jpg'), src('/b.jpg')]));
    await prewarm(unit([src('/b.jpg'), src('/c.jpg')]));
    const status = await units.status('unit-1');
    expect(status?.images.map((image) => image.src)).toEqual([src('/b.jpg'), src('/c.jpg')]);
    expect(status?.totals).toMatchObject({ ready: 2, broken: 0, pending: 0 });
  });

  it('does a job twice at once without changing anything', async () => {
    const { src, unit, units, service } = await setUpUnits();
    const job = await units.submit(unit([src('/a.jpg'), src('/b.jpg')]), { retry: false });
    const outcomes: unknown[] = [];
    await Promise.all([1, 2].map(() => units.prewarm(job, (outcome) => outcomes.push(outcome))));
    expect(outcomes).toHaveLength(4);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ state: 'ready' });
    expect(await keysOfUnits(service.folder)).toHaveLength(5);
  });
});
