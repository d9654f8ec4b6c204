import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';
import { rungFor } from '../../src/protocol/negotiation.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import {
  BASE_URL,
  partsOf,
  SIGNING_KEY,
  SIGNING_VECTORS,
  type SigningVector,
} from '../support/client/signing-vectors.ts';
import { codeOf, startService } from '../support/http/service.ts';

const LADDER = [160, 320, 480, 720, 1080, 1600, 2048];

/** The key of the variant that a vector is about. */
function keyOf({ unit, src, parameters: { w = 1080, q = 'balanced', f = 'auto' } }: SigningVector): string {
  const format = f === 'auto' ? 'jpeg' : f;
  return variantAddress({ unit, src, width: rungFor(w, LADDER), tier: q, format }, sha256).key;
}

/** A service that has each variant, with the name of its vector as bytes. */
async function startWithVariants() {
  const service = await startService({ SIGNING_KEYS: SIGNING_KEY, SOURCE_ALLOW: 'https://example.com/none' });
  const store = createFileStore({ root: service.folder });
  for (const vector of SIGNING_VECTORS) {
    const body = new TextEncoder().encode(vector.name);
    await store.put(keyOf(vector), body, { contentType: 'image/jpeg', metadata: {} });
  }
  return service;
}

/** Copies of a target in which one thing is another. */
function tampered({ target, sig, unit }: SigningVector): string[] {
  const [id = '', mac = ''] = sig.split('.');
  const signed = `${target}&sig=${sig}`;
  const otherMac = (mac.startsWith('A') ? 'B' : 'A') + mac.slice(1);
  return [
    signed.replace(`/u/${unit}?`, `/u/${unit}x?`),
    signed.replace(/(src=[^&]*)[^&]/, '$1x'),
    signed.includes('&exp=') ? signed.replace('&exp=4', '&exp=5') : `${target}&exp=4102444800&sig=${sig}`,
    `${target}&sig=${id}.${otherMac}`,
    `${target}&sig=other.${mac}`,
    `${target}&sig=${mac}`,
    target,
  ];
}

describe('test/vectors/signing.json', () => {
  it.each(SIGNING_VECTORS)('has a URL that the client builds, too: $name', (vector) => {
    expect(vector.url).toBe(`${BASE_URL}${vector.target}&sig=${vector.sig}`);
    expect(imageUrl(partsOf(vector), SIGNING_KEY)).toBe(vector.url);
  });

  it('has URLs that parsers of URLs do not change', () => {
    for (const { url } of SIGNING_VECTORS) expect(new URL(url).href).toBe(url);
  });

  it('has URLs that the service accepts, and understands as what they were made from', async () => {
    const service = await startWithVariants();
    for (const { name, url } of SIGNING_VECTORS) {
      const response = await service.request(url.slice(BASE_URL.length));
      expect([response.status, await response.text()]).toEqual([200, name]);
    }
  });

  it('has URLs that the service refuses when anything in them is changed', async () => {
    const service = await startWithVariants();
    for (const vector of SIGNING_VECTORS)
      for (const target of tampered(vector))
        expect([target, await codeOf(await service.request(target))]).toEqual([target, 'bad_signature']);
  });
});
