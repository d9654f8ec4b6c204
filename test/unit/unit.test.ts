import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../src/protocol/request.ts';
import { parseUnit } from '../../src/unit/parse-unit.ts';
import { assertImageAllowed } from '../../src/unit/unit.ts';

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

  it('reads a number as id, and one URL as images', () => {
    expect(parse({ id: 1_000_000_007, images: 'https://a.test/1' })).toMatchObject({
      id: '1000000007',
      images: [{ src: 'https://a.test/1' }],
    });
  });

  it('keeps an image that is null or empty as one without a source, under its name, and says so', () => {
    const notes: string[] = [];
    const parseNoted = (value: unknown) => parseUnit(value, defaults, (text) => notes.push(text));
    expect(parseNoted({ id: 'u', images: { front: 'x', back: null } }).images).toEqual([
      { src: 'x', name: 'front' },
      { src: '', name: 'back' },
    ]);
    expect(parseNoted({ id: 'u', images: ['x', ' '] }).images).toEqual([
      { src: 'x' },
      { src: '', name: 'images.1' },
    ]);
    expect(notes).toEqual([
      expect.stringMatching(/^the image `images.back` is null or empty/),
      expect.stringMatching(/^the image `images.1` is null or empty/),
    ]);
  });

  it('says which fields it ignores, and which may be misspelt', () => {
    const notes: string[] = [];
    parseUnit({ id: 'u', images: ['x'], client: 1, width: 4000 }, defaults, (text) => notes.push(text));
    expect(notes).toEqual([
      'the field `client` is not one of a unit and is ignored',
      'the field `width` is not one of a unit and is ignored: did you mean `widths`?',
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
    ['a fraction as id', { value: { id: 7.5, images: ['x'] }, reason: '`id`' }],
    ['a number as id that JSON rounds', { value: { id: 2 ** 53, images: ['x'] }, reason: 'send it as text' }],
    ['an id with a space', { value: { id: 'a b', images: ['x'] }, reason: '`id` must be 1 to 128' }],
    ['the id ..', { value: { id: '..', images: ['x'] }, reason: '`id` must be' }],
    ['a long id', { value: { id: 'a'.repeat(129), images: ['x'] }, reason: '`id` must be' }],
    ['no id', { value: { images: ['x'] }, reason: '`id` is missing' }],
    ['no images', { value: { id: 'a' }, reason: '`images` is missing' }],
    ['a number as images', { value: { id: 'a', images: 5 }, reason: '`images` is missing' }],
    ['empty images only', { value: { id: 'a', images: ['', null] }, reason: '`images` has no URL' }],
    ['an empty list of images', { value: { id: 'a', images: [] }, reason: '`images` is empty' }],
    ['an empty key_urls_map', { value: { id: 'a', key_urls_map: {} }, reason: '`key_urls_map` is empty' }],
    ['a number as a source', { value: { id: 'a', images: ['x', 5] }, reason: '`images.1` is not a string' }],
    [
      'a number as a named source',
      { value: { id: 'a', key_urls_map: { front: 5 } }, reason: '`key_urls_map.front` is not a string' },
    ],
    [
      '100 wrong sources',
      { value: { id: 'a', images: Array.from({ length: 100 }, () => 5) }, reason: '; and 90 more' },
    ],
    ...['maxbytes', 'max_bytes', 'wdiths', 'Widths', 'formats ', 'tier s', 'imagse', 'ID'].map(
      (name): [string, { value: unknown; reason: string }] => [
        `the misspelt field "${name}"`,
        {
          value: { id: 'a', images: ['x'], [name]: 5 },
          reason: `\`${name}\` is not a field of a unit: did you mean`,
        },
      ],
    ),
    [
      'a long source',
      { value: { id: 'a', images: ['x'.repeat(9000)] }, reason: '`images.0` is longer than' },
    ],
    [
      '10,001 images',
      {
        value: { id: 'a', images: Array.from({ length: 10_001 }, () => 'x') },
        reason: '`images` has more than 10000',
      },
    ],
    [
      '100,000 wrong images',
      {
        value: { id: 'a', images: Array.from({ length: 100_000 }, () => 0) },
        reason: '`images.100` is not a string, as 100 before it are none',
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
