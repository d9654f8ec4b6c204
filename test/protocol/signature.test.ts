import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { readSigningKeys, type SigningKey, verifySignature } from '../../src/protocol/signature.ts';

const FIRST: SigningKey = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };
const SECOND: SigningKey = { id: 'k2', hex: 'f'.repeat(64) };
const NOW = 1_800_000_000;

/** Parses and verifies a target; returns `ok` or the code of the fault. */
function verify(target: string, keys: readonly SigningKey[] = [FIRST, SECOND]): string {
  const parsed = parseRequest(target);
  if (!parsed.ok) return parsed.fault.code;
  const verified = verifySignature(parsed.value, keys, hmac, NOW);
  return verified.ok ? 'ok' : verified.fault.code;
}

function signed(src: string, key = FIRST, expiresAt?: number): string {
  return imageUrl({ baseUrl: '', unit: 'unit-1', src, width: 720, expiresAt }, key);
}

describe('verifySignature', () => {
  it('accepts the HMAC-SHA256 of everything before it, in base64url', () => {
    // openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f -binary | basenc --base64url
    const target = '/u/unit-1?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=720';
    expect(verify(`${target}&sig=k1.TV5SOZf4rwiLc2Wj6ZPYzJvkNOysxidQDMeqfLPAD78`)).toBe('ok');
  });

  it.each([
    ['https://x.test/a.jpg'],
    ["https://x.test/it's (1)!*~+&=%.jpg?a=b&sig=c#d"],
    ['https://x.test/ü/図'],
  ])('accepts what the client signed with any of the keys for %s', async (src) => {
    expect(verify(signed(src, FIRST))).toBe('ok');
    expect(verify(signed(src, SECOND))).toBe('ok');
  });

  it.each(["https://x.test/women's.jpg", "https://x.test/%27'.jpg", "https://x.test/a.jpg?q='\"<>'"])(
    'accepts what was signed with the apostrophe as it is, sent as it is or as URL parsers rewrite it: %s',
    (src) => {
      const target = `/u/unit-1?src=${encodeURIComponent(src)}&w=720`;
      const url = `${target}&sig=k1.${hmac(FIRST.hex, target)}`;
      const { pathname, search } = new URL(url, 'https://images.test');
      expect(verify(url)).toBe('ok');
      expect(pathname + search).not.toBe(url);
      expect(verify(pathname + search)).toBe('ok');
    },
  );

  it('accepts what was signed with each printable character as it is, as a URL parser sends it', () => {
    const refused = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i)).filter(
      (character) => {
        const target = `/u/unit-1?src=https://x.test/${character}a.jpg`;
        const { pathname, search } = new URL(
          `${target}&sig=k1.${hmac(FIRST.hex, target)}`,
          'https://images.test',
        );
        return verify(pathname + search) !== 'ok';
      },
    );
    // They have a meaning of their own in a URL.
    expect(refused).toEqual(['#', '%', '&']);
  });

  it('refuses an unsigned URL when there are keys', () => {
    expect(verify('/u/a?src=https://x.test/a')).toBe('bad_signature');
  });

  it('accepts only unsigned URLs when there are no keys', async () => {
    expect(verify('/u/a?src=https://x.test/a', [])).toBe('ok');
    expect(verify(signed('https://x.test/a'), [])).toBe('bad_signature');
  });

  it.each<[string, (url: string) => string]>([
    ['another unit', (url) => url.replace('unit-1', 'unit-2')],
    ['another width', (url) => url.replace('720', '721')],
    ['a parameter less', (url) => url.replace('&w=720', '')],
    ['another percent-encoding', (url) => url.replace('%2F', '/')],
    ['the id of another key', (url) => url.replace('k1.', 'k2.')],
    ['the id of no key', (url) => url.replace('k1.', 'k3.')],
    ['no id', (url) => url.replace('k1.', '')],
    ['a character less', (url) => url.slice(0, -1)],
    ['a character more', (url) => `${url}A`],
    ['padding', (url) => `${url}=`],
    ['capitals', (url) => url.replace(/&sig=.*/, (signature) => `&sig=${signature.slice(5).toUpperCase()}`)],
    ['no HMAC', (url) => url.replace(/k1\..*/, 'k1.')],
    ['a dot only', (url) => url.replace(/k1\..*/, '.')],
  ])('refuses a signed URL with %s', async (_name, change) => {
    const url = signed('https://x.test/a');
    expect(change(url)).not.toBe(url);
    expect(verify(change(url))).toBe('bad_signature');
  });

  it('refuses a URL after its expiry, signed or not', async () => {
    expect(verify(signed('https://x.test/a', FIRST, NOW))).toBe('ok');
    expect(verify(signed('https://x.test/a', FIRST, NOW - 1))).toBe('expired');
    expect(verify(`/u/a?src=https://x.test/a&exp=${NOW - 1}`, [])).toBe('expired');
  });

  it('checks the syntax first, then the signature, then the expiry', async () => {
    const expired = signed('https://x.test/a', FIRST, NOW - 1);
    expect(verify(expired.replace('w=720', 'w=0').replace('unit-1', 'unit-2'))).toBe('bad_request');
    expect(verify(expired.replace('unit-1', 'unit-2'))).toBe('bad_signature');
  });
});

describe('readSigningKeys', () => {
  it('reads every key, and skips damaged entries', () => {
    const text = `old:short,k2, k1:${FIRST.hex.toUpperCase()} ,`;
    expect(readSigningKeys(text)).toEqual([FIRST]);
  });
});
