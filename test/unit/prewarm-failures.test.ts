import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { startService } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { answerNotFound, runJob, setUpUnits } from '../support/unit/set-up-units.ts';

describe('prewarm of a broken source', () => {
  it('does not fetch a source again whose failure is cached', async () => {
    const { origin, src, unit, prewarm } = await setUpUnits({ '/gone.jpg': answerNotFound });
    await prewarm(unit([src('/gone.jpg')]));
    const { outcomes } = await prewarm(unit([src('/gone.jpg')]));
    expect(outcomes).toMatchObject([{ state: 'broken', code: 'source_not_found' }]);
    expect(origin.requests).toHaveLength(1);
  });

  it('fetches a source again whose failure is cached when the job has retry', async () => {
    let isThere = false;
    const { photo, src, unit, prewarm } = await setUpUnits({
      '/late.jpg': (response) => {
        if (isThere) response.end(photo);
        else answerNotFound(response);
      },
    });
    await prewarm(unit([src('/late.jpg')]));
    isThere = true;
    const { outcomes } = await prewarm(unit([src('/late.jpg')]), { retry: true });
    expect(outcomes).toMatchObject([{ state: 'ready' }]);
  });

  it('fetches a source again once for a job with retry, however often the job is delivered', async () => {
    const { origin, src, unit, prewarm, units } = await setUpUnits({ '/gone.jpg': answerNotFound });
    await prewarm(unit([src('/gone.jpg')]));
    const job = await units.submit(unit([src('/gone.jpg')]), { retry: true });
    for (let deliveries = 0; deliveries < 3; deliveries++) await runJob(units, job);
    expect(origin.requests).toHaveLength(2);
  });

  it('keeps the time of the first failure when a source fails again', async () => {
    const { src, unit, prewarm, units } = await setUpUnits({ '/gone.jpg': answerNotFound });
    const since = async () =>
      (await units.status('unit-1'))?.images.map((image) => 'since' in image && image.since);
    await prewarm(unit([src('/gone.jpg')]));
    const first = await since();
    await prewarm(unit([src('/gone.jpg')]), { retry: true });
    expect(await since()).toEqual(first);
    expect(first).toEqual([expect.any(String)]);
  });

  it('repeats a fetch that may succeed later, but not one that cannot', async () => {
    let attempts = 0;
    const { photo, origin, src, unit, prewarm } = await setUpUnits({
      '/flaky.jpg': (response) => {
        attempts++;
        if (attempts === 1) response.writeHead(500).end();
        else response.end(photo);
      },
      '/gone.jpg': answerNotFound,
    });
    const { outcomes } = await prewarm(unit([src('/flaky.jpg'), src('/gone.jpg')]));
    expect(outcomes).toMatchObject([{ state: 'ready' }, { state: 'broken' }]);
    expect(origin.requests.filter((path) => path === '/flaky.jpg')).toHaveLength(2);
    expect(origin.requests.filter((path) => path === '/gone.jpg')).toHaveLength(1);
  });

  it.each([
    ['a text that is not a URL', { source: 'not a url', code: 'bad_request' }],
    ['another scheme', { source: 'ftp://example.test/a.jpg', code: 'bad_request' }],
    ['credentials', { source: 'https://user:secret@example.test/a.jpg', code: 'bad_request' }],
    ['too many characters', { source: `https://example.test/${'a'.repeat(5000)}`, code: 'bad_request' }],
    [
      'too many bytes once it is encoded',
      { source: `https://example.test/${'ü'.repeat(1000)}`, code: 'bad_request' },
    ],
    ['a lone surrogate', { source: 'https://example.test/\ud800', code: 'bad_request' }],
    ['an invalid IP address', { source: 'http://999.1.1.1/', code: 'bad_request' }],
    ['a host outside the allowlist', { source: '/elsewhere/a.jpg', code: 'source_forbidden' }],
  ])('reports a source with %s as broken, without a request', async (_name, { source, code }) => {
    const { origin, src, unit, prewarm } = await setUpUnits({}, { SOURCE_ALLOW: 'https://*.example.test/*' });
    const { outcomes } = await prewarm(unit([source.startsWith('/') ? src(source) : source]));
    expect(outcomes).toMatchObject([
      { state: 'broken', code, retryable: false, detail: expect.stringMatching(/./) },
    ]);
    expect(JSON.stringify(outcomes)).not.toContain('secret"');
    expect(origin.requests).toEqual([]);
  });

  it('makes the other images of a unit whatever is wrong with one', async () => {
    const { src, unit, prewarm } = await setUpUnits({
      '/half.jpg': (response) => response.end(Buffer.alloc(0)),
      '/truncated.jpg': (response) => response.end(Buffer.from('ffd8ffe0', 'hex')),
      '/page.jpg': (response) => response.end('<!doctype html><p>no'),
    });
    const { outcomes, error } = await prewarm(
      unit([src('/half.jpg'), src('/a.jpg'), src('/truncated.jpg'), src('/page.jpg'), src('/b.jpg')]),
    );
    expect(error).toBeUndefined();
    expect(outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.state))).toEqual([
      'source_not_image',
      'ready',
      'source_corrupt',
      'source_not_image',
      'ready',
    ]);
  });
});

describe('prewarm with a store that fails', () => {
  /** Starts a second service on the same folder, whose store throws for the keys that a test chooses. */
  async function setUpFailingStore() {
    const { origin, src, unit, service } = await setUpUnits({ '/gone.jpg': answerNotFound });
    const files = createFileStore({ root: service.folder });
    const failing: { get?: RegExp; put?: RegExp } = {};
    const store: VariantStore = {
      ...files,
      async get(key) {
        if (failing.get?.test(key)) throw new Error('slow down');
        return await files.get(key);
      },
      async put(key, ...rest) {
        if (failing.put?.test(key)) throw new Error('no space left on device');
        return await files.put(key, ...rest);
      },
    };
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority, STORE: `file:${service.folder}` };
    const { units } = (await startService(env, { store })).unitServices;
    return { failing, src, unit, units, healthyUnits: service.unitServices.units };
  }

  it('leaves an image pending and throws when a variant is not stored, and completes it at the next attempt', async () => {
    const { failing, src, unit, units, healthyUnits } = await setUpFailingStore();
    const job = await units.submit(unit([src('/a.jpg')]), { retry: false });
    failing.put = /\.webp$/;
    const first = await runJob(units, job);
    expect(String(first.error)).toContain('made, but not kept: the store failed (no space left on device)');
    expect(first.outcomes).toEqual([
      { unit: 'unit-1', src: src('/a.jpg'), state: 'pending', detail: expect.stringContaining('not kept') },
    ]);
    const second = await runJob(healthyUnits, job);
    expect(second.outcomes).toMatchObject([{ state: 'ready', skipped: false }]);
  });

  it('has no outcome and no error for a unit that is purged while its variants are made', async () => {
    const { src, unit, units, origin } = await setUpUnits({
      '/slow.jpg': async (response) => {
        await units.purge(['unit-1']);
        response.end(await photograph());
      },
    });
    const job = await units.submit(unit([src('/slow.jpg')]), { retry: false });
    expect(await runJob(units, job)).toEqual({ outcomes: [], error: undefined });
    expect(origin.requests).toEqual(['/slow.jpg']);
    expect(await units.status('unit-1')).toBeUndefined();
  });

  it('rejects a submission when it cannot read the tombstone', async () => {
    const { failing, src, unit, units } = await setUpFailingStore();
    failing.get = /^purged\//;
    await expect(units.submit(unit([src('/a.jpg')]), { retry: false })).rejects.toThrow('slow down');
  });

  it('leaves an image pending and throws when the failure of its source cannot be stored', async () => {
    const { failing, src, unit, units } = await setUpFailingStore();
    failing.put = /source\.json$/;
    const job = await units.submit(unit([src('/gone.jpg')]), { retry: false });
    const { outcomes, error } = await runJob(units, job);
    expect(outcomes).toMatchObject([{ state: 'pending' }]);
    expect(String(error)).toContain('could not be saved');
  });
});
