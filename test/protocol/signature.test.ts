import { describe, expect, it } from 'vitest';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { hmac } from '../../src/hashing.ts';
import { parseRequest } from '../../src/protocol/request.ts';
import { type SigningKey, verifySignature } from '../../src/protocol/signature.ts';

const FIRST: SigningKey = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };
const SECOND: SigningKey = { id: 'k2', hex: 'f'.repeat(64) };
const NOW = 1_800_000_000;

function cachedFailure(target: string, keys: readonly SigningKey[] = [FIRST, SECOND]): string {
  const parsed = parseRequest(target);
  if (!parsed.ok) return parsed.fault.code;
  const verified = verifySignature(parsed.value, keys, hmac, NOW);
  return verified.ok ? 'ok' : verified.fault.code;
}

function signed(src: string, key = FIRST, expiresAt?: number): Promise<string> {
  return buildImageUrl({ baseUrl: '', unit: 'unit-1', src, width: 720, expiresAt }, key);
}

describe('a signature', () => {
  it('is the HMAC-SHA256 of all before it, in base64url', () => {
    // openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f -binary | basenc --base64url
    const target = '/u/unit-1?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=720';
    expect(cachedFailure(`${target}&sig=k1.TV5SOZf4rwiLc2Wj6ZPYzJvkNOysxidQDMeqfLPAD78`)).toBe('ok');
  });

  it('made by the client is accepted with any of the valid keys, whatever the URL holds', async () => {
    for (const src of [
      'https://x.test/a.jpg',
      "https://x.test/it's (1)!*~+&=%.jpg?a=b&sig=c#d",
      'https://x.test/ü/図',
    ]) {
      expect(cachedFailure(await signed(src, FIRST))).toBe('ok');
      expect(cachedFailure(await signed(src, SECOND))).toBe('ok');
    }
  });

  it('is demanded once there are keys, and refused when there are none', async () => {
    expect(cachedFailure('/u/a?src=https://x.test/a')).toBe('bad_signature');
    expect(cachedFailure('/u/a?src=https://x.test/a', [])).toBe('ok');
    expect(cachedFailure(await signed('https://x.test/a'), [])).toBe('bad_signature');
  });

  it('does not fit any other URL, key or spelling', async () => {
    const url = await signed('https://x.test/a');
    const [text = '', signature = ''] = url.split('&sig=');
    const others = [
      url.replace('unit-1', 'unit-2'),
      url.replace('720', '721'),
      url.replace('&w=720', ''),
      url.replace('%2F', '/'),
      url.replace('k1.', 'k2.'),
      url.replace('k1.', 'k3.'),
      url.replace('k1.', ''),
      url.slice(0, -1),
      `${url}A`,
      `${url}=`,
      `${text}&sig=${signature.toUpperCase()}`,
      `${text}&sig=k1.`,
      `${text}&sig=.`,
    ];
    for (const other of others) expect(cachedFailure(other), other).toBe('bad_signature');
  });

  it('is looked at before the expiry, and both after the form', async () => {
    const past = await signed('https://x.test/a', FIRST, NOW - 1);
    expect(cachedFailure(past)).toBe('expired');
    expect(cachedFailure(past.replace('unit-1', 'unit-2'))).toBe('bad_signature');
    expect(cachedFailure(past.replace('w=720', 'w=0'))).toBe('bad_request');
    expect(cachedFailure(await signed('https://x.test/a', FIRST, NOW))).toBe('ok');
    expect(cachedFailure(`/u/a?src=https://x.test/a&exp=${NOW - 1}`, [])).toBe('expired');
  });
});
