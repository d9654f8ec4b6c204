import { describe, expect, expectTypeOf, it } from 'vitest';
import { buildImageUrl, type ImageUrlParts } from '../../src/client/image-url.ts';
import { type Format, type Tier, UNIT_RULE } from '../../src/protocol/request.ts';

const KEY = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };

describe('buildImageUrl', () => {
  const parts = {
    baseUrl: 'https://images.example.com',
    unit: 'unit-1',
    src: "https://x.test/it's?a=b&c#d",
  };

  it('takes the tiers and formats of the protocol', () => {
    expectTypeOf<NonNullable<ImageUrlParts['tier']>>().toEqualTypeOf<Tier>();
    expectTypeOf<NonNullable<ImageUrlParts['format']>>().toEqualTypeOf<Format | 'auto'>();
  });

  it('writes no parameter that is not given', async () => {
    expect(await buildImageUrl(parts)).toBe(
      'https://images.example.com/u/unit-1?src=https%3A%2F%2Fx.test%2Fit%27s%3Fa%3Db%26c%23d',
    );
  });

  it('writes the parameters in one order', async () => {
    const all = { expiresAt: 1_800_000_000, format: 'auto', tier: 'high', width: 720, ...parts } as const;
    expect(await buildImageUrl(all)).toMatch(/&w=720&q=high&f=auto&exp=1800000000$/);
  });

  it('writes URLs that a URL parser does not change, whatever the source', async () => {
    const ascii = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i)).join('');
    const url = await buildImageUrl({ ...parts, src: `https://x.test/${ascii}/ü/図/🙂?${ascii}` }, KEY);
    expect(new URL(url).href).toBe(url);
  });

  it('signs as openssl does', async () => {
    // printf %s '/u/unit-1?src=…&w=720' | openssl dgst -sha256 -mac HMAC -macopt hexkey:… -binary | basenc --base64url
    const small = { baseUrl: '', unit: 'unit-1', src: 'https://example.com/a.jpg', width: 720 };
    expect(await buildImageUrl(small, KEY)).toBe(
      '/u/unit-1?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=720&sig=k1.TV5SOZf4rwiLc2Wj6ZPYzJvkNOysxidQDMeqfLPAD78',
    );
  });

  it.each([
    'a?src=https%3A%2F%2Fevil.test%2Fx.jpg%3F',
    'a/b',
    'a b',
    '',
    '.',
    '..',
    'é',
    'x'.repeat(129),
    'a\n',
  ])('signs nothing for the invalid unit %j, which could carry a source of its own', async (unit) => {
    const url = buildImageUrl({ baseUrl: '', unit, src: 'https://x.test/a' }, KEY);
    await expect(url).rejects.toThrow(new TypeError(`the unit must be ${UNIT_RULE}`));
  });
});
