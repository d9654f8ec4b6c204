import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { readUnit } from '../../src/client/read-unit.ts';
import { answerNotFound, setUpUnits } from '../support/unit/set-up-units.ts';

const TOKEN = 'a-long-token-of-the-operator';
const KEY = 'k1:000102030405060708090a0b0c0d0e0f';
const baseUrl = 'https://images.test';

/** A service, and the JSON of its answers. */
async function setUp() {
  const env = { ADMIN_TOKEN: TOKEN, SIGNING_KEYS: KEY, PUBLIC_URL: baseUrl };
  const set = await setUpUnits({ '/gone.jpg': answerNotFound }, env);
  const get = async (target: string, token = TOKEN): Promise<unknown> =>
    await (await set.service.request(target, { headers: { Authorization: `Bearer ${token}` } })).json();
  return { ...set, get };
}

describe('readUnit', () => {
  it('gives the URLs of each image by format and width, or why it is broken', async () => {
    const { src, unit, prewarm, get } = await setUp();
    const images = [{ src: src('/a.jpg'), name: 'front' }, { src: src('/gone.jpg') }];
    await prewarm({ ...unit([]), images, widths: [160, 320], tiers: ['saver', 'balanced'] });
    const { images: read, id } = readUnit(await get('/units/unit-1'));
    const url = (width: number, format: 'avif' | 'webp', tier: 'saver' | 'balanced' = 'balanced') =>
      imageUrl({ baseUrl, unit: 'unit-1', src: src('/a.jpg'), width, tier, format }, KEY);
    expect(id).toBe('unit-1');
    expect(read).toEqual([
      {
        ...images[0],
        state: 'ready',
        urls: {
          avif: { 160: url(160, 'avif'), 320: url(320, 'avif') },
          webp: { 160: url(160, 'webp'), 320: url(320, 'webp') },
        },
      },
      {
        ...images[1],
        state: 'broken',
        code: 'source_not_found',
        reason: expect.stringContaining('404'),
        retryable: false,
        nextAttempt: expect.stringMatching(/^20.*Z$/),
      },
    ]);
    const [saver] = readUnit(await get('/units/unit-1'), { tier: 'saver' }).images;
    expect(saver).toMatchObject({ urls: { webp: { 160: url(160, 'webp', 'saver') } } });
    const [high] = readUnit(await get('/units/unit-1'), { tier: 'high' }).images;
    expect(high).toMatchObject({ state: 'ready', urls: {} });
  });

  it('says that an image is still to be made', async () => {
    const { src, unit, units, get } = await setUp();
    await units.submit(unit([src('/a.jpg')]), { retry: false });
    expect(readUnit(await get('/units/unit-1')).images).toEqual([{ src: src('/a.jpg'), state: 'pending' }]);
  });

  it('says whether a broken image may work later', () => {
    const broken = { src: 'x', state: 'broken', code: 'source_timeout', detail: 'too slow', retryable: true };
    expect(readUnit({ id: 'a', images: [broken] }).images).toEqual([
      { src: 'x', state: 'broken', code: 'source_timeout', reason: 'too slow', retryable: true },
    ]);
  });

  it('says what the service answered instead of a unit', async () => {
    const { get } = await setUp();
    const unknown = await get('/units/unit-2');
    expect(() => readUnit(unknown)).toThrow(/^this is not the answer of GET \/units\/\{id\}: not_found: /);
    const refused = await get('/units/unit-1', 'another token');
    expect(() => readUnit(refused)).toThrow(/: unauthorized: /);
  });

  it.each<[string, unknown, RegExp]>([
    ['a text', '{"id":"a"}', /a text, which has to be parsed as JSON/],
    ['a list', [], /no object/],
    ['no images', { id: 'a' }, /no `images`/],
    ['an image without a source', { id: 'a', images: [{}] }, /images\[0\] has no `src`/],
    ['a unit that was never sent', { id: 'a', state: 'unsent', images: [{}] }, /never sent, or was purged/],
    [
      'a broken image without a reason',
      { id: 'a', images: [{ src: 'x', state: 'broken' }] },
      /images\[0\] is broken and has no code or no detail/,
    ],
    ['an unknown state', { id: 'a', images: [{ src: 'x', state: 'odd' }] }, /unknown state "odd"/],
    [
      'a ready image without variants',
      { id: 'a', images: [{ src: 'x', state: 'ready' }] },
      /the variants of images\[0\]/,
    ],
    [
      'a variant without a width',
      {
        id: 'a',
        images: [{ src: 'x', state: 'ready', variants: [{ url: 'u', tier: 'high', format: 'webp' }] }],
      },
      /the variants of images\[0\]/,
    ],
  ])('refuses %s', (_, answer, message) => {
    expect(() => readUnit(answer)).toThrow(message);
  });
});
