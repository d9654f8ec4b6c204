import { describe, expect, it } from 'vitest';
import { buildImageUrl } from '../../src/client/image-url.ts';

const KEY = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };

describe('the URL builder', () => {
  it('says what it is told, in one order, and nothing else', async () => {
    const parts = {
      baseUrl: 'https://images.example.com',
      unit: 'unit-1',
      src: "https://x.test/it's?a=b&c#d",
    };
    expect(await buildImageUrl(parts)).toBe(
      "https://images.example.com/u/unit-1?src=https%3A%2F%2Fx.test%2Fit's%3Fa%3Db%26c%23d",
    );
    const all = { ...parts, width: 720, tier: 'high', format: 'auto', expiresAt: 1_800_000_000 } as const;
    expect(await buildImageUrl(all)).toMatch(/&w=720&q=high&f=auto&exp=1800000000$/);
  });

  it('signs as openssl does', async () => {
    // printf %s '/u/unit-1?src=…&w=720' | openssl dgst -sha256 -mac HMAC -macopt hexkey:… -binary | basenc --base64url
    const parts = { baseUrl: '', unit: 'unit-1', src: 'https://example.com/a.jpg', width: 720 };
    expect(await buildImageUrl(parts, KEY)).toBe(
      '/u/unit-1?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=720&sig=k1.TV5SOZf4rwiLc2Wj6ZPYzJvkNOysxidQDMeqfLPAD78',
    );
  });

  it('signs nothing under a unit that is none: it could carry a source of its own', async () => {
    const units = [
      'a?src=https%3A%2F%2Fevil.test%2Fx.jpg%3F',
      'a/b',
      'a b',
      '',
      '.',
      '..',
      'é',
      'x'.repeat(129),
      'a\n',
    ];
    for (const unit of units) {
      await expect(buildImageUrl({ baseUrl: '', unit, src: 'https://x.test/a' }, KEY), unit).rejects.toThrow(
        TypeError,
      );
    }
  });
});
