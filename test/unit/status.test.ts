import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { setUpUnits } from '../support/unit/set-up-units.ts';

const KEY = '00112233445566778899aabbccddeeff';
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('the status of a unit', () => {
  it('has all that is known about each image, and the totals', async () => {
    const { photo, src, unit, prewarm, units } = await setUpUnits(
      { '/gone.jpg': (response) => response.writeHead(410).end() },
      { PUBLIC_URL: 'https://images.example.test' },
    );
    const images = [{ src: src('/a.jpg'), name: 'front' }, { src: src('/gone.jpg') }];
    await prewarm(unit([], { images }));
    const status = await units.status('unit-1');
    const [ready] = status?.images ?? [];
    const variants = ready?.state === 'ready' ? ready.variants : [];
    const bytes = variants.reduce((sum, variant) => sum + variant.bytes, 0);
    expect(status).toEqual({
      id: 'unit-1',
      images: [
        {
          src: src('/a.jpg'),
          name: 'front',
          state: 'ready',
          sourceBytes: photo.byteLength,
          variants: ['avif', 'webp'].map((format) => ({
            url: `https://images.example.test/u/unit-1?src=${encodeURIComponent(src('/a.jpg'))}&w=160&q=balanced&f=${format}`,
            width: 160,
            tier: 'balanced',
            format,
            type: `image/${format}`,
            bytes: expect.any(Number),
            effort: 'best',
          })),
        },
        {
          src: src('/gone.jpg'),
          state: 'broken',
          code: 'source_not_found',
          detail: expect.stringContaining('410'),
          since: ISO,
          retryable: false,
          nextAttempt: ISO,
        },
      ],
      totals: { ready: 1, broken: 1, pending: 0, sourceBytes: photo.byteLength, bytes },
    });
  });

  it('has signed URLs that the service answers from the store', async () => {
    const { src, unit, prewarm, units, service } = await setUpUnits({}, { SIGNING_KEYS: `k:${KEY}` });
    await prewarm(unit([src("/it's (a) b+c%20d.jpg?x=1&y=ü")]));
    const [image] = (await units.status('unit-1'))?.images ?? [];
    if (image?.state !== 'ready') throw new Error('not ready');
    for (const { url, bytes, type } of image.variants) {
      const response = await service.request(url.replace(/^https?:\/\/[^/]+/, ''));
      expect(response.headers.get('cache-status')).toBe('edgepress; hit');
      expect(response.headers.get('content-type')).toBe(type);
      expect((await response.arrayBuffer()).byteLength).toBe(bytes);
    }
  });

  it('reports an image as pending that has not been prewarmed', async () => {
    const { src, unit, units } = await setUpUnits();
    await units.submit(unit([src('/a.jpg')]), { retry: false });
    expect(await units.status('unit-1')).toMatchObject({
      images: [{ src: src('/a.jpg'), state: 'pending' }],
      totals: { ready: 0, broken: 0, pending: 1, sourceBytes: 0, bytes: 0 },
    });
  });

  it('reports an image as pending that lacks a variant', async () => {
    const { src, unit, units, prewarm } = await setUpUnits();
    await prewarm(unit([src('/a.jpg')]));
    await units.submit(unit([src('/a.jpg')], { formats: ['avif', 'jpeg'] }), { retry: false });
    expect((await units.status('unit-1'))?.totals).toMatchObject({ ready: 0, pending: 1 });
  });

  it('reports an image as broken, without an attempt, whose source is not allowed or not a URL', async () => {
    const { src, unit, units } = await setUpUnits({}, { SOURCE_ALLOW: 'https://*.example.test/*' });
    await units.submit(unit([src('/a.jpg'), 'nonsense']), { retry: false });
    expect((await units.status('unit-1'))?.images).toMatchObject([
      { state: 'broken', code: 'source_forbidden', since: ISO, nextAttempt: ISO, retryable: false },
      { state: 'broken', code: 'bad_request' },
    ]);
  });

  it('reports an image as ready whose variants were all made by requests', async () => {
    const { src, unit, units, service } = await setUpUnits();
    await units.submit(unit([src('/a.jpg')], { formats: ['jpeg'] }), { retry: false });
    await service.request(`/u/unit-1?src=${encodeURIComponent(src('/a.jpg'))}&w=160`);
    expect((await units.status('unit-1'))?.totals).toMatchObject({ ready: 1 });
  });

  it('is undefined for a unit that was never submitted, even if the id of another starts with its id', async () => {
    const { src, unit, units } = await setUpUnits();
    await units.submit(unit([src('/a.jpg')], { id: 'unit-10' }), { retry: false });
    expect(await units.status('unit-1')).toBeUndefined();
  });
});

describe('a damaged manifest', () => {
  async function setUpDamagedManifest() {
    const world = await setUpUnits();
    const { src, unit, prewarm, service } = world;
    await prewarm(unit([src('/a.jpg')]));
    const { manifestKey } = unitAddress('unit-1', sha256);
    await writeFile(join(service.folder, manifestKey), '{"id": "unit-1", "ima');
    return world;
  }

  it('makes the status undefined', async () => {
    const { units } = await setUpDamagedManifest();
    expect(await units.status('unit-1')).toBeUndefined();
  });

  it('makes prewarm throw, so that the job is not lost silently', async () => {
    const { units } = await setUpDamagedManifest();
    const job = { unit: 'unit-1', images: 1, retry: false };
    await expect(units.prewarm(job, () => {})).rejects.toThrow('cannot be read');
  });

  it('is replaced when the unit is submitted again', async () => {
    const { src, unit, units, prewarm } = await setUpDamagedManifest();
    await prewarm(unit([src('/a.jpg')]));
    expect((await units.status('unit-1'))?.totals).toMatchObject({ ready: 1 });
  });
});
