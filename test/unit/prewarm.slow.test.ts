import { describe, expect, it } from 'vitest';
import { startHeldOrigin, startService, targetFor, until } from '../support/http/service.ts';
import { keysOfUnits } from '../support/store/held-store.ts';
import { answerNotFound, runJob, setUpUnits } from '../support/unit/set-up-units.ts';

const SIZES = [
  { width: 160, format: 'avif' },
  { width: 160, format: 'jpeg' },
  { width: 480, format: 'avif' },
  { width: 480, format: 'jpeg' },
] as const;

describe('prewarm', () => {
  it('makes exactly the variants that requests look up', async () => {
    const { service, src, unit, prewarm } = await setUpUnits({}, { PREWARM_EFFORT: 'fast' });
    const { outcomes } = await prewarm(
      unit([src('/a.jpg')], { widths: [160, 480], formats: ['avif', 'jpeg'] }),
    );
    expect(outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    for (const size of SIZES) {
      const response = await service.request(targetFor(src('/a.jpg'), { ...size, tier: 'balanced' }));
      expect(response.headers.get('cache-status')).toBe('edgepress; hit');
    }
  });

  it('makes the same bytes as a request at the same effort, at the widest width', async () => {
    const { origin, service, src, unit, prewarm } = await setUpUnits({}, { PREWARM_EFFORT: 'fast' });
    await prewarm(unit([src('/a.jpg')], { widths: [160, 480], formats: ['avif', 'jpeg'] }));
    const other = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    for (const size of SIZES) {
      const target = targetFor(src('/a.jpg'), { ...size, tier: 'balanced' });
      const requested = await other.request(target);
      expect(requested.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
      // A narrower variant is made from the pixels of the widest one, in one more step.
      if (size.width < 480) continue;
      const prewarmed = await service.request(target);
      expect(Buffer.from(await prewarmed.arrayBuffer())).toEqual(Buffer.from(await requested.arrayBuffer()));
    }
  });

  it('fetches a source once for all its variants, even if the unit has it twice', async () => {
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

  it('finds the variants of a unit that is sent again with fresh signatures, and uses the newest to fetch', async () => {
    const { origin, src, units, unit, prewarm } = await setUpUnits(
      { '/a.jpg?sig=expired': (response) => response.writeHead(403).end() },
      { SOURCE_IGNORED_PARAMETERS: '{"127.0.0.1": ["sig"]}', PREWARM_EFFORT: 'fast' },
    );
    const wanted = { formats: ['webp'] } as const;
    const expired = await prewarm(unit([src('/a.jpg?sig=expired')], wanted));
    expect(expired.outcomes).toMatchObject([{ state: 'broken', code: 'source_unavailable' }]);
    await units.submit(unit([src('/a.jpg?sig=1')], wanted), { retry: false });
    expect((await units.status('unit-1'))?.images).toMatchObject([{ state: 'pending' }]);
    const fresh = await prewarm(unit([src('/a.jpg?sig=1')], wanted));
    expect(fresh.outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    const again = await prewarm(unit([src('/a.jpg?sig=2')], wanted));
    expect(again.outcomes).toMatchObject([{ state: 'ready', skipped: true, src: src('/a.jpg?sig=2') }]);
    expect(origin.requests).toEqual(['/a.jpg?sig=expired', '/a.jpg?sig=1']);
  });

  it('reports each image in the order of the unit, as a line of the report', async () => {
    const { photo, src, unit, prewarm } = await setUpUnits({ '/gone.jpg': answerNotFound });
    const { outcomes, error } = await prewarm(unit([src('/gone.jpg'), src('/a.jpg')]));
    expect(error).toBeUndefined();
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

  it('skips an image whose variants are all in the store, without fetching its source', async () => {
    const { origin, src, unit, prewarm } = await setUpUnits();
    await prewarm(unit([src('/a.jpg')]));
    const again = await prewarm(unit([src('/a.jpg')]));
    expect(again.outcomes).toMatchObject([
      { state: 'ready', skipped: true, sourceBytes: expect.any(Number) },
    ]);
    expect(origin.requests).toHaveLength(1);
  });

  it('makes only the variants that are missing', async () => {
    const { origin, src, unit, prewarm, service } = await setUpUnits();
    await prewarm(unit([src('/a.jpg')]));
    const before = await keysOfUnits(service.folder);
    const { outcomes } = await prewarm(unit([src('/a.jpg')], { widths: [160, 320] }));
    expect(outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
    expect(origin.requests).toHaveLength(2);
    const after = await keysOfUnits(service.folder);
    expect(after.filter((key) => !before.includes(key))).toEqual([
      expect.stringMatching(/320-balanced\.avif$/),
      expect.stringMatching(/320-balanced\.webp$/),
    ]);
  });

  it('makes more images than may be in memory at the same time', async () => {
    const { src, unit, prewarm } = await setUpUnits({}, { CONCURRENCY: '1', PREWARM_EFFORT: 'fast' });
    const images = Array.from({ length: 40 }, (_, number) => src(`/${number}.jpg`));
    const { outcomes } = await prewarm(unit(images, { formats: ['jpeg'] }));
    expect(outcomes.filter(({ state }) => state === 'ready')).toHaveLength(images.length);
  });

  it('prewarms units of other hosts while a host with many images does not answer', async () => {
    const { origin, src, unit } = await setUpUnits();
    const hanging = await startHeldOrigin();
    const { unitServices } = await startService({
      SOURCE_ALLOW_PRIVATE: `${origin.authority},${hanging.origin.authority}`,
      SOURCE_TIMEOUT_MS: '60000',
    });
    const { units } = unitServices;
    const images = Array.from({ length: 100 }, (_, number) => `${hanging.origin.url}/${number}`);
    const stuck = runJob(units, await units.submit(unit(images, { id: 'stuck' }), { retry: false }));
    await until(() => hanging.held.length > 0);
    const job = await units.submit(unit([src('/a.jpg'), src('/b.jpg')]), { retry: false });
    const { outcomes } = await runJob(units, job);
    expect(outcomes).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
    await unitServices.drain();
    hanging.answerAll((response) => response.writeHead(404).end());
    await stuck;
  });

  it('starts no image once the services drain, and throws so that the job is delivered again', async () => {
    const { src, unit, prewarm, service, units } = await setUpUnits();
    const images = unit([src('/a.jpg'), src('/b.jpg')]);
    await prewarm(images);
    const job = await units.submit(images, { retry: false });
    await service.unitServices.drain();
    const { outcomes, error } = await runJob(units, job);
    expect(String(error)).toContain('is ending');
    expect(outcomes).toMatchObject([{ state: 'pending' }, { state: 'pending' }]);
  });

  it('changes nothing when a job is delivered twice at the same time', async () => {
    const { src, unit, units, service } = await setUpUnits();
    const job = await units.submit(unit([src('/a.jpg'), src('/b.jpg')]), { retry: false });
    const results = await Promise.all([runJob(units, job), runJob(units, job)]);
    const outcomes = results.flatMap((result) => result.outcomes);
    expect(outcomes).toHaveLength(4);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ state: 'ready' });
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(await keysOfUnits(service.folder)).toHaveLength(5);
  });

  it('works on the last manifest when a unit is submitted again', async () => {
    const { src, unit, prewarm, units } = await setUpUnits();
    await prewarm(unit([src('/a.jpg'), src('/b.jpg')]));
    await prewarm(unit([src('/b.jpg'), src('/c.jpg')]));
    const status = await units.status('unit-1');
    expect(status?.images.map((image) => image.src)).toEqual([src('/b.jpg'), src('/c.jpg')]);
    expect(status?.totals).toMatchObject({ ready: 2, broken: 0, pending: 0 });
  });
});
