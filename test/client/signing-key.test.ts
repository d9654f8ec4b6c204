import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import type { SigningKey } from '../../src/protocol/signature.ts';

const HEX = '00112233445566778899aabbccddeeff';
const parts = { baseUrl: '', unit: 'unit-1', src: 'https://x.test/a.jpg' };
const signed = (key: unknown) => imageUrl(parts, key as SigningKey);

describe('The key of imageUrl', () => {
  it('may be its two parts, `id:hex`, or a list as in SIGNING_KEYS, whose first signs', () => {
    const url = signed({ id: 'k1', hex: HEX });
    expect(url).toMatch(/&sig=k1\.[\w-]{43}$/);
    for (const key of [
      `k1:${HEX}`,
      ` k1:${HEX}\n`,
      `k1:${HEX},old:${HEX}`,
      { id: 'k1', hex: HEX.toUpperCase() },
    ])
      expect(signed(key)).toBe(url);
  });

  it.each<[string, unknown, RegExp]>([
    ['an empty text', '', /is empty: give `id:hex`/],
    ['no key at all', null, /has no id/],
    ['hex without an id', HEX, /has no id/],
    ['an empty id', `:${HEX}`, /has no id/],
    ['parts without an id', { hex: HEX }, /has no id/],
    ['parts without hex', { id: 'k1' }, /has no `hex`/],
    ['the whole in hex', { id: 'k1', hex: `k1:${HEX}` }, /`hex` has a colon.*behind the colon/],
    ['hex that is none', { id: 'k1', hex: `${HEX.slice(1)}g` }, /digits 0-9 a-f, and character 32/],
    ['a space behind the colon', `k1: ${HEX}`, /digits 0-9 a-f, and character 1 is/],
    ['an odd number of digits', { id: 'k1', hex: `${HEX}a` }, /33 digits, an odd number/],
    ['a short key', { id: 'k1', hex: HEX.slice(2) }, /15 bytes; at least 16/],
    ['an id with a dot', { id: 'k.1', hex: HEX }, /`id` must be 1 to 64/],
    ['an id with a space', { id: 'k1 ', hex: HEX }, /`id` must be 1 to 64/],
    ['an id of 65 characters', { id: 'k'.repeat(65), hex: HEX }, /`id` must be 1 to 64/],
    ['an id that brings a parameter', { id: 'k&f=avif', hex: HEX }, /`id` must be 1 to 64/],
  ])('is refused if it is %s, and is not shown', (_, key, message) => {
    expect(() => signed(key)).toThrow(TypeError);
    expect(() => signed(key)).toThrow(message);
    expect(() => signed(key)).not.toThrow(/112233/);
  });
});
