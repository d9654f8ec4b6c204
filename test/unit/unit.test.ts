import { describe, expect, it } from 'vitest';
import { parseUnit } from '../../src/unit/unit.ts';

const defaults = {
  ladder: { widths: [320, 640, 1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
} as const;
const parse = (value: unknown) => parseUnit(value, defaults);

function problem(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('a unit', () => {
  it('is an id and URLs, and gets the usual variants', () => {
    expect(parse({ id: 'unit-1', images: ['https://a.test/1', 'https://a.test/2'], other: true })).toEqual({
      id: 'unit-1',
      images: [{ src: 'https://a.test/1' }, { src: 'https://a.test/2' }],
      ...defaults.prewarm,
    });
  });

  it('may name its images, in the form of today and in that of 2017', () => {
    const images = [
      { src: 'https://a.test/1', name: 'front' },
      { src: 'https://a.test/2', name: 'back' },
    ];
    const urls = { front: 'https://a.test/1', back: 'https://a.test/2' };
    expect(parse({ id: 'u', images: urls }).images).toEqual(images);
    expect(parse({ id: 'u', key_urls_map: urls }).images).toEqual(images);
  });

  it('may want other variants, of which each is made once, on the rungs that there are', () => {
    const wanted = { widths: [5000, 100, 300], tiers: ['high', 'high'], formats: ['jpeg'], maxBytes: 5000 };
    expect(parse({ id: 'u', images: ['x'], ...wanted })).toMatchObject({
      widths: [320, 1080],
      tiers: ['high'],
      formats: ['jpeg'],
      maxBytes: 5000,
    });
  });

  it('keeps what is no URL, to be reported with the others', () => {
    expect(parse({ id: 'u', images: ['', 'nonsense'] }).images).toHaveLength(2);
  });

  const refused: [unknown, string][] = [
    [5, 'JSON object'],
    [null, 'JSON object'],
    [['a'], 'JSON object'],
    [{}, '`id` is missing'],
    [{ id: 7, images: ['x'] }, '`id`'],
    [{ id: 'a b', images: ['x'] }, '`id` must be 1 to 128'],
    [{ id: '..', images: ['x'] }, '`id` must be'],
    [{ id: 'a'.repeat(129), images: ['x'] }, '`id` must be'],
    [{ id: 'a' }, '`images` is missing'],
    [{ id: 'a', images: 'x' }, '`images` is missing'],
    [{ id: 'a', images: [] }, '`images` is empty'],
    [{ id: 'a', key_urls_map: {} }, '`images` is empty'],
    [{ id: 'a', images: ['x', null] }, '`images.1` is no text'],
    [{ id: 'a', images: ['x'.repeat(9000)] }, '`images.0` is longer than'],
    [{ id: 'a', images: Array.from({ length: 1001 }, () => 'x') }, '`images` has more than 1000'],
    [{ id: 'a', images: ['x'], widths: [] }, '`widths` is empty'],
    [
      { id: 'a', images: ['x'], widths: Array.from({ length: 100_000 }, () => 0) },
      '`widths` has more than 100',
    ],
    [{ id: 'a', images: Array.from({ length: 100_000 }, () => 0) }, '`images` has more than 1000'],
    [{ id: 'a', images: ['x'], widths: [1.5] }, '`widths.0` must be'],
    [{ id: 'a', images: ['x'], widths: 320 }, '`widths` must be a list'],
    [{ id: 'a', images: ['x'], tiers: ['best'] }, '`tiers.0` must be of saver, balanced, high'],
    [{ id: 'a', images: ['x'], formats: ['png'] }, '`formats.0` must be of avif, webp, jpeg'],
    [{ id: 'a', images: ['x'], maxBytes: '50 kB' }, '`maxBytes` must be a whole number'],
    [{ id: 'a', images: ['x'], maxBytes: 0 }, '`maxBytes` must be 1 or more'],
  ];
  it.each(refused.map(([value, why]) => ({ value, why })))('is refused, and it is said why: $why', (one) => {
    expect(problem(one.value)).toContain(one.why);
  });
});
