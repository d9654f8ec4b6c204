import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { buildImageUrl } from '../../src/client/image-url.ts';
import { codeOf, setUpPhotograph, targetFor } from '../support/http/service.ts';

describe('a request for an image', () => {
  it('is answered with a fraction of its bytes, and with the same from the store ever after', async () => {
    const { photo, origin, service, target } = await setUpPhotograph();
    const first = await service.request(await target({ format: 'avif' }));
    const bytes = Buffer.from(await first.arrayBuffer());
    expect(first.status).toBe(200);
    expect(bytes.byteLength).toBeLessThan(photo.byteLength / 10);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'heif', width: 320, height: 256 });

    const second = await service.request(await target({ format: 'avif' }));
    expect(Buffer.from(await second.arrayBuffer()).equals(bytes)).toBe(true);
    expect(origin.requests).toHaveLength(1);
    expect(first.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    expect(second.headers.get('cache-status')).toBe('edgepress; hit');
    expect(first.headers.get('server-timing')).toMatch(
      /^store;dur=[\d.]+, fetch;dur=[\d.]+, encode;dur=[\d.]+$/,
    );
    expect(second.headers.get('server-timing')).toMatch(/^store;dur=[\d.]+$/);
  });

  it('carries every header of the contract', async () => {
    const { service, src, target } = await setUpPhotograph();
    const headers = { accept: 'image/webp', 'save-data': 'on' };
    const sha = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
    const common = {
      'content-type': 'image/webp',
      'accept-ranges': 'bytes',
      vary: 'Accept, Save-Data',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'",
      'access-control-allow-origin': '*',
      'timing-allow-origin': '*',
      'x-amz-meta-cache-tag': `u-${sha('unit-1')},s-${sha(src)}`,
    };
    for (const cacheControl of [
      'public, max-age=604800, s-maxage=60',
      'public, max-age=604800, s-maxage=31536000',
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
    const fixed = await service.request(await target({ tier: 'saver', format: 'webp' }), { headers });
    expect(fixed.headers.get('vary')).toBeNull();
    expect(fixed.headers.get('cache-status')).toBe('edgepress; hit');
  });

  it('lands on the rung, tier and format that negotiation chose, under the key of the contract', async () => {
    const { service, src, target } = await setUpPhotograph({ CACHE_CONTROL: 'public, max-age=500' });
    const first = await service.request(await target({ width: 161 }), { headers: { accept: 'image/avif' } });
    expect(first.headers.get('cache-control')).toBe('public, max-age=500, s-maxage=60');
    const sha = (text: string) => createHash('sha256').update(text).digest('hex');
    const key = `v1/${sha('unit-1').slice(0, 2)}/unit-1/${sha(src).slice(0, 32)}/320-balanced.avif`;
    const file = await readFile(join(service.folder, key));
    expect(file.subarray(0, 100).toString('latin1')).toContain('ftypavif');
    const second = await service.request(await target({ width: 320, tier: 'balanced', format: 'avif' }));
    expect(second.headers.get('cache-status')).toBe('edgepress; hit');
    expect(second.headers.get('cache-control')).toBe('public, max-age=500');
  });

  it('is never kept longer by a CDN before it is stored than after', async () => {
    for (const [stored, made] of [
      ['public, max-age=5', 'public, max-age=5, s-maxage=5'],
      ['public, max-age=900, s-maxage=30', 'public, max-age=900, s-maxage=30'],
      ['public', 'public, s-maxage=60'],
      ['private, max-age=900', 'private, max-age=900'],
      ['no-store', 'no-store'],
    ] as const) {
      const { service, target } = await setUpPhotograph({ CACHE_CONTROL: stored });
      expect((await service.request(await target())).headers.get('cache-control')).toBe(made);
      expect((await service.request(await target())).headers.get('cache-control')).toBe(stored);
    }
  });

  it('without a width is for the default one', async () => {
    const { service, src } = await setUpPhotograph({ WIDTHS: '100,200,300', DEFAULT_WIDTH: '150' });
    const response = await service.request(await targetFor(src, { format: 'jpeg' }));
    expect((await sharp(await response.arrayBuffer()).metadata()).width).toBe(200);
  });

  it('answers HEAD with what GET says, without the body, and makes the variant too', async () => {
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

  it('answers 304 to a matching ETag without touching source or encoder', async () => {
    const { origin, service, target } = await setUpPhotograph();
    const first = await service.request(await target());
    const etag = first.headers.get('etag') ?? '';
    for (const ifNoneMatch of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await service.request(await target(), { headers: { 'if-none-match': ifNoneMatch } });
      expect(response.status).toBe(304);
      expect(await response.arrayBuffer()).toHaveProperty('byteLength', 0);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('cache-control')).toContain('max-age=604800');
      expect(response.headers.get('content-type')).toBeNull();
    }
    const other = await service.request(await target(), { headers: { 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
    expect(origin.requests).toHaveLength(1);
  });

  it('answers a range with that part, unless the client has part of another', async () => {
    const { origin, service, target } = await setUpPhotograph();
    const whole = Buffer.from(await (await service.request(await target())).arrayBuffer());
    const ask = async (headers: Record<string, string>) => await service.request(await target(), { headers });
    const etag = (await ask({})).headers.get('etag') ?? '';

    for (const [range, start, end] of [
      ['bytes=0-99', 0, 100],
      ['bytes=100-', 100, whole.length],
      ['bytes=-50', whole.length - 50, whole.length],
      [`bytes=-${whole.length * 2}`, 0, whole.length],
      [`bytes=10-${whole.length * 2}`, 10, whole.length],
    ] as const) {
      const part = await ask({ range });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.length}`);
      expect(part.headers.get('content-length')).toBe(String(end - start));
      expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(start, end))).toBe(true);
    }
    const beyond = await ask({ range: `bytes=${whole.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`]);
    expect(beyond.headers.get('cache-control')).toBe('no-store');
    for (const range of ['bytes=0-1,5-6', 'bytes=x-y', 'lines=0-1', 'bytes=', 'bytes=-', 'bytes=5-2'])
      expect((await ask({ range })).status).toBe(200);
    expect((await ask({ range: 'bytes=0-9', 'if-range': etag })).status).toBe(206);
    expect((await ask({ range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    expect((await ask({ range: 'bytes=0-9', 'if-range': 'Mon, 23 Nov 2026 00:00:00 GMT' })).status).toBe(200);
    expect((await ask({ range: 'bytes=0-9', 'if-none-match': etag })).status).toBe(304);
    expect(origin.requests).toHaveLength(1);
  });

  it('is told what is wrong with it, and costs nothing', async () => {
    const { origin, service, src } = await setUpPhotograph();
    const wrong = [
      ['/u/unit-1', 'src'],
      ['/u/unit-1?src=nowhere', 'src'],
      [`/u/unit-1?src=${src}&w=0`, 'w'],
      [`/u/unit-1?src=${src}&colour=red`, 'colour'],
      [`/u/%2e%2e?src=${src}`, 'unit'],
      [`/u/..?src=${src}`, 'unit'],
      [`/u/a/b?src=${src}`, 'unit'],
      [`/u/?src=${src}`, 'unit'],
    ] as const;
    for (const [target, parameter] of wrong) {
      const response = await service.request(target);
      expect(response.status, target).toBe(400);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter, status: 400 });
    }
    expect(await codeOf(await service.request(`/u/a?src=${src}/${'a'.repeat(6000)}`))).toBe('bad_request');
    expect(origin.requests).toEqual([]);
  });

  it('must be signed once there are keys', async () => {
    const { service, src } = await setUpPhotograph({ SIGNING_KEYS: 'k1:000102030405060708090a0b0c0d0e0f' });
    const key = { id: 'k1', hex: '000102030405060708090a0b0c0d0e0f' };
    const odd = `${src}?it's=(1)&x=~*!`;
    const signed = await buildImageUrl({ baseUrl: '', unit: 'a', src: odd, width: 160 }, key);
    expect((await service.request(signed)).status).toBe(200);
    expect(await codeOf(await service.request(await targetFor(src)))).toBe('bad_signature');
    expect(await codeOf(await service.request(signed.replace('w=160', 'w=320')))).toBe('bad_signature');
    const expired = await buildImageUrl({ baseUrl: '', unit: 'a', src, expiresAt: 1_600_000_000 }, key);
    expect(await codeOf(await service.request(expired))).toBe('expired');
  });
});
