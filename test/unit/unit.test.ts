import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../src/protocol/request.ts';
import { assertImageAllowed, parseUnit } from '../../src/unit/unit.ts';

const defaults = {
  ladder: { widths: [320, 640, 1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
} as const;
const parse = (value: unknown) => parseUnit(value, defaults);

describe('parseUnit', () => {
  it('reads an id and URLs, adds the default variants, and ignores other properties', () => {
    expect(parse({ id: 'unit-1', images: ['https://a.test/1', 'https://a.test/2'], other: true })).toEqual({
      id: 'unit-1',
      images: [{ src: 'https://a.test/1' }, { src: 'https://a.test/2' }],
      ...defaults.prewarm,
    });
  });

  it.each(['images', 'key_urls_map'])('reads named images from the property %s', (property) => {
    const urls = { front: 'https://a.test/1', back: 'https://a.test/2' };
    expect(parse({ id: 'u', [property]: urls }).images).toEqual([
      { src: 'https://a.test/1', name: 'front' },
      { src: 'https://a.test/2', name: 'back' },
    ]);
  });

  it('reads which variants are wanted, each once and on the rungs of the ladder, and their budget', () => {
    const wanted = { widths: [5000, 100, 300], tiers: ['high', 'high'], formats: ['jpeg'], maxBytes: 5000 };
    expect(parse({ id: 'u', images: ['x'], ...wanted })).toMatchObject({
      widths: [320, 1080],
      tiers: ['high'],
      formats: ['jpeg'],
      maxBytes: 5000,
    });
  });

  it('keeps sources that are not URLs, which are reported when the unit is prewarmed', () => {
    expect(parse({ id: 'u', images: ['', 'nonsense'] }).images).toHaveLength(2);
  });

  it.each([
    ['a number', { value: 5, reason: 'not a JSON object' }],
    ['null', { value: null, reason: 'not a JSON object' }],
    ['a list', { value: ['a'], reason: 'not a JSON object' }],
    ['an empty object', { value: {}, reason: '`id` is missing' }],
    ['a number as id', { value: { id: 7, images: ['x'] }, reason: '`id`' }],
    ['an id with a space', { value: { id: 'a b', images: ['x'] }, reason: '`id` must be 1 to 128' }],
    ['the id ..', { value: { id: '..', images: ['x'] }, reason: '`id` must be' }],
    ['a long id', { value: { id: 'a'.repeat(129), images: ['x'] }, reason: '`id` must be' }],
    ['no images', { value: { id: 'a' }, reason: '`images` is missing' }],
    ['a string as images', { value: { id: 'a', images: 'x' }, reason: '`images` is missing' }],
    ['an empty list of images', { value: { id: 'a', images: [] }, reason: '`images` is empty' }],
    ['an empty key_urls_map', { value: { id: 'a', key_urls_map: {} }, reason: '`images` is empty' }],
    ['null as a source', { value: { id: 'a', images: ['x', null] }, reason: '`images.1` is not a string' }],
    [
      'a long source',
      { value: { id: 'a', images: ['x'.repeat(9000)] }, reason: '`images.0` is longer than' },
    ],
    [
      '1,001 images',
      {
        value: { id: 'a', images: Array.from({ length: 1001 }, () => 'x') },
        reason: '`images` has more than 1000',
      },
    ],
    [
      '100,000 wrong images',
      {
        value: { id: 'a', images: Array.from({ length: 100_000 }, () => 0) },
        reason: '`images` has more than 1000',
      },
    ],
    [
      'an empty list of widths',
      { value: { id: 'a', images: ['x'], widths: [] }, reason: '`widths` is empty' },
    ],
    [
      '100,000 wrong widths',
      {
        value: { id: 'a', images: ['x'], widths: Array.from({ length: 100_000 }, () => 0) },
        reason: '`widths` has more than 100',
      },
    ],
    ['half a pixel', { value: { id: 'a', images: ['x'], widths: [1.5] }, reason: '`widths.0` must be' }],
    [
      'a number as widths',
      { value: { id: 'a', images: ['x'], widths: 320 }, reason: '`widths` must be a list' },
    ],
    [
      'an unknown tier',
      {
        value: { id: 'a', images: ['x'], tiers: ['best'] },
        reason: '`tiers.0` must be one of saver, balanced, high',
      },
    ],
    [
      'an unknown format',
      {
        value: { id: 'a', images: ['x'], formats: ['png'] },
        reason: '`formats.0` must be one of avif, webp, jpeg',
      },
    ],
    [
      'a string as budget',
      { value: { id: 'a', images: ['x'], maxBytes: '50 kB' }, reason: '`maxBytes` must be a whole number' },
    ],
    [
      'a budget of 0',
      { value: { id: 'a', images: ['x'], maxBytes: 0 }, reason: '`maxBytes` must be 1 or more' },
    ],
  ])('throws for %s, and says what is wrong', (_name, { value, reason }) => {
    expect(() => parse(value)).toThrow(reason);
  });
});

describe('assertImageAllowed', () => {
  const source = { assertAllowed: () => undefined };
  /** The longest parameters that a signed URL of an image can have. */
  const rest = `&w=16383&q=balanced&f=jpeg&exp=9999999999&sig=${'k'.repeat(64)}.${'s'.repeat(43)}`;
  const targetOf = (src: string) => `/u/a?src=${encodeURIComponent(src)}${rest}`;
  /** A source whose longest image URL is of this length: each é takes 6 bytes in it. */
  const sourceFor = (bytes: number) => {
    const start = `https://a.test/${'é'.repeat(900)}`;
    return start + 'a'.repeat(bytes - targetOf(start).length);
  };

  it('allows a source whose longest image URL is as long as a URL may be', () => {
    const src = sourceFor(6000);
    expect(parseRequest(targetOf(src)).ok).toBe(true);
    expect(() => assertImageAllowed(source, 'a', src)).not.toThrow();
  });

  it('refuses a source whose longest image URL is one byte too long', () => {
    expect(() => assertImageAllowed(source, 'a', sourceFor(6001))).toThrow(/6001 bytes/);
  });
});
