import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { COMMON_HEADERS } from '../../src/protocol/problem.ts';
import { codeOf, setUpPhotograph, targetFor } from '../support/http/service.ts';

describe('GET of an image', () => {
  it('makes the variant once, a fraction of the source in size, and serves the same bytes from the store', async () => {
    const { photo, origin, service, target } = await setUpPhotograph();
    const first = await service.request(await target({ format: 'avif' }));
    const bytes = Buffer.from(await first.arrayBuffer());
    expect(first.status).toBe(200);
    expect(bytes.byteLength).toBeLessThan(photo.byteLength / 10);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'heif', width: 320, height: 256 });

    const second = await service.request(await target({ format: 'avif' }));
    expect(Buffer.from(await second.arrayBuffer()).equals(bytes)).toBe(true);
    expect(origin.requests).toHaveLength(1);
  });

  it('shows miss or hit in Cache-Status and the steps that it took in Server-Timing', async () => {
    const { service, target } = await setUpPhotograph();
    const first = await service.request(await target());
    const second = await service.request(await target());
    expect(first.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    expect(second.headers.get('cache-status')).toBe('edgepress; hit');
    expect(first.headers.get('server-timing')).toMatch(
      /^store;dur=[\d.]+, fetch;dur=[\d.]+, encode;dur=[\d.]+$/,
    );
    expect(second.headers.get('server-timing')).toMatch(/^store;dur=[\d.]+$/);
  });

  it('has every header of the contract', async () => {
    const { service, src, target } = await setUpPhotograph();
    const headers = { accept: 'image/webp', 'save-data': 'on' };
    const common = {
      'content-type': 'image/webp',
      'accept-ranges': 'bytes',
      vary: 'Accept, Save-Data',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'",
      'access-control-allow-origin': '*',
      'access-control-expose-headers':
        'Accept-Ranges, Age, Cache-Status, Content-Range, ETag, Retry-After, Server-Timing',
      'cross-origin-resource-policy': 'cross-origin',
      'timing-allow-origin': '*',
      'x-amz-meta-cache-tag': `u-${sha256('unit-1').slice(0, 32)},s-${sha256(src).slice(0, 32)}`,
    };
    for (const cacheControl of [
      'public, max-age=604800, s-maxage=60, stale-while-revalidate=86400',
      'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
    ]) {
      const response = await service.request(await target(), { headers });
      const body = Buffer.from(await response.arrayBuffer());
      expect(Object.fromEntries(response.headers)).toMatchObject({
        ...common,
        'content-length': String(body.byteLength),
        etag: `"${createHash('md5').update(body).digest('hex')}"`,
        'cache-control': cacheControl,
      });
    }
  });

  it('has every common header, also when it is an error or a part', async () => {
    const { service, target } = await setUpPhotograph();
    const whole = await service.request(await target());
    const responses = [
      whole,
      await service.request(await target(), { headers: { range: 'bytes=0-9' } }),
      await service.request(await target(), { headers: { range: 'bytes=9999999-' } }),
      await service.request(await target(), {
        headers: { 'if-none-match': whole.headers.get('etag') ?? '' },
      }),
      await service.request('/u/unit-1'),
      await service.request('/elsewhere'),
      await service.request('/healthz'),
    ];
    expect(responses.map(({ status }) => status)).toEqual([200, 206, 416, 304, 400, 404, 200]);
    for (const { headers, status } of responses) {
      for (const [name, value] of Object.entries(COMMON_HEADERS))
        expect(headers.get(name), `${name} of ${status}`).toBe(value);
    }
  });

  it('is kept by no cache for longer than its URL is valid', async () => {
    const { service, target } = await setUpPhotograph();
    const inSeconds = async (seconds: number) => {
      const expiresAt = Math.floor(Date.now() / 1000) + seconds;
      const response = await service.request(await target({ expiresAt }));
      const ages = response.headers.get('cache-control')?.match(/\d+/g) ?? [];
      return ages.map(Number);
    };
    await service.request(await target());
    const [device, shared, ...rest] = await inSeconds(1000);
    expect(device).toBe(shared);
    expect(device).toBeGreaterThan(900);
    expect(device).toBeLessThanOrEqual(1000);
    expect(rest).toEqual([]);
    expect((await inSeconds(1_000_000)).slice(0, 2)).toEqual([604_800, 86_400]);
  });

  it('has no Vary if the request names tier and format', async () => {
    const { service, target } = await setUpPhotograph();
    const headers = { accept: 'image/webp', 'save-data': 'on' };
    const negotiated = await service.request(await target(), { headers });
    expect(negotiated.headers.get('vary')).toBe('Accept, Save-Data');
    const named = await service.request(await target({ tier: 'saver', format: 'webp' }), { headers });
    expect(named.headers.get('vary')).toBeNull();
    expect(named.headers.get('cache-status')).toBe('edgepress; hit');
  });

  it('stores the negotiated rung, tier and format under the key of the contract', async () => {
    const { service, src, target } = await setUpPhotograph();
    await service.request(await target({ width: 161 }), { headers: { accept: 'image/avif' } });
    const key = `v1/${sha256('unit-1').slice(0, 2)}/unit-1/${sha256(src).slice(0, 32)}/320-balanced.avif`;
    const file = await readFile(join(service.folder, key));
    expect(file.subarray(0, 100).toString('latin1')).toContain('ftypavif');
    const named = await service.request(await target({ width: 320, tier: 'balanced', format: 'avif' }));
    expect(named.headers.get('cache-status')).toBe('edgepress; hit');
  });

  it.each([
    ['public, max-age=500, s-maxage=60', 'public, max-age=500'],
    ['public, max-age=5, s-maxage=5', 'public, max-age=5'],
    ['public, max-age=900, s-maxage=30', 'public, max-age=900, s-maxage=30'],
    ['public, s-maxage=60', 'public'],
    ['private, max-age=900', 'private, max-age=900'],
    ['no-store', 'no-store'],
  ])(
    'has the Cache-Control "%s" on a miss if CACHE_CONTROL is "%s", and that on a hit',
    async (made, stored) => {
      const { service, target } = await setUpPhotograph({ CACHE_CONTROL: stored });
      const miss = await service.request(await target());
      const hit = await service.request(await target());
      expect([miss.headers.get('cache-control'), hit.headers.get('cache-control')]).toEqual([made, stored]);
    },
  );

  it.each([
    ['public, max-age=604800, s-maxage=31536000', 'public, max-age=604800, s-maxage=86400'],
    ['public, max-age=31536000, immutable', 'public, max-age=31536000, immutable, s-maxage=86400'],
  ])(
    'is kept by shared caches for a day if CACHE_CONTROL is "%s": prewarm may replace it',
    async (set, sent) => {
      const { service, target } = await setUpPhotograph({ CACHE_CONTROL: set });
      await service.request(await target());
      expect((await service.request(await target())).headers.get('cache-control')).toBe(sent);
    },
  );

  it('uses the rung for DEFAULT_WIDTH if the request names no width', async () => {
    const { service, src } = await setUpPhotograph({ WIDTHS: '100,200,300', DEFAULT_WIDTH: '150' });
    const response = await service.request(targetFor(src, { format: 'jpeg' }));
    expect((await sharp(await response.arrayBuffer()).metadata()).width).toBe(200);
  });

  it.each([
    ['the URL has no src', () => '/u/unit-1', 'src'],
    ['src is not a URL', () => '/u/unit-1?src=nowhere', 'src'],
    ['the width is 0', (src: string) => `/u/unit-1?src=${src}&w=0`, 'w'],
    ['a parameter is unknown', (src: string) => `/u/unit-1?src=${src}&colour=red`, 'colour'],
    ['the unit is two percent-encoded dots', (src: string) => `/u/%2e%2e?src=${src}`, 'unit'],
    ['the unit is two dots', (src: string) => `/u/..?src=${src}`, 'unit'],
    ['the unit has a slash', (src: string) => `/u/a/b?src=${src}`, 'unit'],
    ['the unit is empty', (src: string) => `/u/?src=${src}`, 'unit'],
  ])(
    'answers bad_request with the parameter, and fetches nothing, if %s',
    async (_what, targetOf, parameter) => {
      const { origin, service, src } = await setUpPhotograph();
      const response = await service.request(targetOf(src));
      expect(response.status).toBe(400);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter, status: 400 });
      expect(origin.requests).toEqual([]);
    },
  );

  it('answers bad_request if the target is longer than 6,000 bytes', async () => {
    const { origin, service, src } = await setUpPhotograph();
    const response = await service.request(`/u/a?src=${src}/${'a'.repeat(6000)}`);
    expect(await codeOf(response)).toBe('bad_request');
    expect(origin.requests).toEqual([]);
  });
});

describe('GET of an image with SIGNING_KEYS', () => {
  const key = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };

  async function setUp() {
    const { service, src } = await setUpPhotograph({ SIGNING_KEYS: `${key.id}:${key.hex}` });
    const odd = `${src}?it's=(1)&x=~*!`;
    const signed = imageUrl({ baseUrl: '', unit: 'a', src: odd, width: 160 }, key);
    return { service, src, signed };
  }

  it('accepts a valid signature, also of a source with odd characters', async () => {
    const { service, signed } = await setUp();
    expect((await service.request(signed)).status).toBe(200);
  });

  it('answers bad_signature to a target without a signature', async () => {
    const { service, src } = await setUp();
    expect(await codeOf(await service.request(targetFor(src)))).toBe('bad_signature');
  });

  it('answers bad_signature to a target that was changed after it was signed', async () => {
    const { service, signed } = await setUp();
    expect(await codeOf(await service.request(signed.replace('w=160', 'w=320')))).toBe('bad_signature');
  });

  it('answers expired after the time in exp', async () => {
    const { service, src } = await setUp();
    const expired = imageUrl({ baseUrl: '', unit: 'a', src, expiresAt: 1_600_000_000 }, key);
    expect(await codeOf(await service.request(expired))).toBe('expired');
  });
});

describe('HEAD of an image', () => {
  it('makes the variant and has the headers of GET without the body', async () => {
    const { origin, service, target } = await setUpPhotograph();
    const head = await service.request(await target(), { method: 'HEAD' });
    const get = await service.request(await target());
    expect(await head.arrayBuffer()).toHaveProperty('byteLength', 0);
    for (const name of ['etag', 'content-length', 'content-type', 'vary']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    expect(get.headers.get('cache-status')).toBe('edgepress; hit');
    expect(origin.requests).toHaveLength(1);
  });

  it('has the headers of GET, the length included, when there is an error', async () => {
    const { service, target } = await setUpPhotograph();
    for (const failing of [`${await target()}&colour=red`, targetFor('http://127.0.0.1:1/a.jpg')]) {
      const head = await service.request(failing, { method: 'HEAD' });
      const get = await service.request(failing);
      expect(head.status).toBe(get.status);
      for (const name of ['content-length', 'content-type', 'cache-control'])
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      expect(get.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
    }
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
