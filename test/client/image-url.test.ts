import { describe, expect, it } from 'vitest';
import { type ImageUrlParts, InvalidImageUrl, imageUrl } from '../../src/client/image-url.ts';
import { hmac } from '../../src/hashing.ts';
import { parseRequest, UNIT_RULE } from '../../src/protocol/request.ts';

const KEY = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };
const parts = {
  baseUrl: 'https://images.example.com',
  unit: 'unit-1',
  src: "https://x.test/it's?a=b&c#d",
};
const TARGET = '/u/unit-1?src=https%3A%2F%2Fx.test%2Fit%27s%3Fa%3Db%26c%23d';

/** The message and the part of the error for parts that callers without types may pass. */
function errorFor(wrong: object): { part: string | undefined; message: string } {
  try {
    imageUrl({ ...parts, ...wrong } as ImageUrlParts);
  } catch (error) {
    if (error instanceof InvalidImageUrl) return { part: error.part, message: error.message };
  }
  throw new Error('no InvalidImageUrl was thrown');
}

describe('imageUrl', () => {
  it('writes no parameter that is not given', () => {
    expect(imageUrl(parts)).toBe(`https://images.example.com${TARGET}`);
  });

  it('writes the parameters in one order', () => {
    const all = { expiresAt: 1_800_000_000, format: 'auto', tier: 'high', width: 720, ...parts } as const;
    expect(imageUrl(all)).toMatch(/&w=720&q=high&f=auto&exp=1800000000$/);
  });

  it('writes URLs that a URL parser does not change, whatever the source', () => {
    const ascii = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i)).join('');
    const url = imageUrl({ ...parts, src: `https://x.test/${ascii}/ü/図/🙂?${ascii}` }, KEY);
    expect(new URL(url).href).toBe(url);
  });

  it.each([
    'https://cdn.test/',
    'https://cdn.test/images/',
    'https://cdn.test//',
    'http://127.0.0.1:3000',
    '//cdn.test',
    '/images',
    '/',
    '',
  ])('starts with the base URL %j without slashes at its end', (baseUrl) => {
    expect(imageUrl({ ...parts, baseUrl })).toBe(`${baseUrl.replace(/\/*$/, '')}${TARGET}`);
  });

  it('signs as openssl does', () => {
    // printf %s '/u/unit-1?src=…&w=720' | openssl dgst -sha256 -mac HMAC -macopt hexkey:… -binary | basenc --base64url
    const small = { baseUrl: '', unit: 'unit-1', src: 'https://example.com/a.jpg', width: 720 };
    expect(imageUrl(small, KEY)).toBe(
      '/u/unit-1?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=720&sig=k1.TV5SOZf4rwiLc2Wj6ZPYzJvkNOysxidQDMeqfLPAD78',
    );
  });

  it.each([16, 32, 33, 63, 64, 65, 200])('signs as Node does with a key of %d bytes', (bytes) => {
    const hex = Array.from({ length: bytes }, (_, i) => (i % 256).toString(16).padStart(2, '0')).join('');
    for (let length = 1; length < 128; length += 7) {
      const small = { ...parts, baseUrl: '', unit: 'u'.repeat(length) };
      const target = imageUrl(small);
      expect(imageUrl(small, { id: 'k', hex })).toBe(`${target}&sig=k.${hmac(hex, target)}`);
    }
  });

  it('throws at once and does not return a promise', () => {
    expect(typeof imageUrl(parts, KEY)).toBe('string');
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
  ])('signs nothing for the invalid unit %j, which could carry a source of its own', (unit) => {
    const message = `\`unit\` must be ${UNIT_RULE}`;
    expect(() => imageUrl({ ...parts, unit }, KEY)).toThrow(new InvalidImageUrl('unit', message));
  });

  it.each<[string, object, string, RegExp]>([
    ['no base URL', { baseUrl: undefined }, 'baseUrl', /such as https:/],
    ['a base URL without a scheme', { baseUrl: 'images.example.com' }, 'baseUrl', /such as https:/],
    ['a base URL with a query', { baseUrl: 'https://x.test/?a' }, 'baseUrl', /such as https:/],
    ['a base URL with a password', { baseUrl: 'https://a:b@x.test' }, 'baseUrl', /such as https:/],
    ['no unit', { unit: undefined }, 'unit', /1 to 128/],
    ['no source', { src: undefined }, 'src', /is missing: it is the URL of the image$/],
    ['a relative source', { src: '/a.jpg' }, 'src', /must be an absolute http:, https: or s3: URL$/],
    ['a source that is encoded', { src: 'https%3A%2F%2Fx.test%2Fa' }, 'src', /must not be percent-encoded/],
    ['a source with a password', { src: 'https://me:secret@x.test/a' }, 'src', /credentials/],
    ['a source of 4,097 characters', { src: `https://x.test/${'a'.repeat(4082)}` }, 'src', /at most 4,096/],
    ['a source with a line break', { src: 'https://x.test/a\nb' }, 'src', /line breaks/],
    ['a source with half a surrogate pair', { src: 'https://x.test/\ud83d' }, 'src', /surrogate/],
    ['a source in another scheme', { src: 'data:image/png;base64,AA' }, 'src', /absolute/],
    ['a width of 0', { width: 0 }, 'width', /whole number of pixels, 1 or more; it is 0/],
    ['a width of 1.5', { width: 1.5 }, 'width', /it is 1\.5/],
    ['a width that is not a number', { width: Number.NaN }, 'width', /it is NaN/],
    ['an unknown tier', { tier: 'best' }, 'tier', /saver, balanced or high; it is best/],
    ['a tier that brings a parameter', { tier: 'high&f=avif' }, 'tier', /saver, balanced or high/],
    ['an unknown format', { format: 'png' }, 'format', /avif, webp, jpeg or auto; it is png/],
    ['an expiry in milliseconds', { expiresAt: 1_800_000_000_000 }, 'expiresAt', /in seconds.*milliseconds/],
    ['an expiry with a fraction', { expiresAt: 1_800_000_000.5 }, 'expiresAt', /whole Unix seconds/],
  ])('refuses %s and names the part', (_, wrong, part, message) => {
    const error = errorFor(wrong);
    expect(error.part).toBe(part);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(new RegExp(`^\`${part}\``));
    expect(error.message).not.toMatch(/secret/);
  });

  it('refuses a URL that is too long as a whole', () => {
    const error = errorFor({ src: `https://x.test/${'ü'.repeat(1500)}` });
    expect(error).toMatchObject({ part: undefined, message: expect.stringMatching(/at most 6,000/) });
  });

  it('builds only what the service can parse to the same parts', () => {
    const given = { width: 720, tier: 'saver', format: 'avif', expiresAt: 1_800_000_000 } as const;
    const parsed = parseRequest(imageUrl({ ...parts, ...given, baseUrl: '' }, KEY));
    expect(parsed).toMatchObject({ ok: true, value: { unit: 'unit-1', src: parts.src, ...given } });
  });
});
