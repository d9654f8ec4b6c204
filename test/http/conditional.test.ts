import { describe, expect, it } from 'vitest';
import { setUpPhotograph } from '../support/http/service.ts';

describe('A conditional or range request', () => {
  /** A stored variant, and requests for it, none of which may fetch the source again. */
  async function setUp() {
    const { origin, service, target } = await setUpPhotograph();
    const request = async (headers: Record<string, string>) => {
      const response = await service.request(await target(), { headers });
      expect(origin.requests).toHaveLength(1);
      return response;
    };
    const first = await request({});
    const whole = Buffer.from(await first.arrayBuffer());
    return { request, whole, etag: first.headers.get('etag') ?? '' };
  }

  it.each([
    ['the ETag', (etag: string) => etag],
    ['the weak form of the ETag', (etag: string) => `W/${etag}`],
    ['a list with the ETag', (etag: string) => `"other", ${etag}`],
    ['an asterisk', () => '*'],
  ])(
    'is answered 304 without touching source and encoder if If-None-Match is %s',
    async (_what, valueFor) => {
      const { request, etag } = await setUp();
      const response = await request({ 'if-none-match': valueFor(etag) });
      expect(response.status).toBe(304);
      expect(await response.arrayBuffer()).toHaveProperty('byteLength', 0);
      expect(response.headers.get('etag')).toBe(etag);
      expect(response.headers.get('cache-control')).toContain('max-age=604800');
      expect(response.headers.get('content-type')).toBeNull();
    },
  );

  it('is answered 200 if If-None-Match has another ETag', async () => {
    const { request } = await setUp();
    expect((await request({ 'if-none-match': '"other"' })).status).toBe(200);
  });

  it.each([
    ['the first hundred bytes', () => 'bytes=0-99', () => [0, 100]],
    ['all but the first hundred bytes', () => 'bytes=100-', (length: number) => [100, length]],
    ['the last fifty bytes', () => 'bytes=-50', (length: number) => [length - 50, length]],
    [
      'a suffix longer than the image',
      (length: number) => `bytes=-${length * 2}`,
      (length: number) => [0, length],
    ],
    [
      'an end beyond the image',
      (length: number) => `bytes=10-${length * 2}`,
      (length: number) => [10, length],
    ],
  ])('is answered 206 with %s', async (_what, rangeFor, boundsFor) => {
    const { request, whole } = await setUp();
    const [start = 0, end = 0] = boundsFor(whole.length);
    const part = await request({ range: rangeFor(whole.length) });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.length}`);
    expect(part.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(start, end))).toBe(true);
  });

  it('is answered 416 and not cached if the range starts beyond the image', async () => {
    const { request, whole } = await setUp();
    const response = await request({ range: `bytes=${whole.length}-` });
    expect([response.status, response.headers.get('content-range')]).toEqual([
      416,
      `bytes */${whole.length}`,
    ]);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['bytes=0-1,5-6', 'bytes=x-y', 'lines=0-1', 'bytes=', 'bytes=-', 'bytes=5-2'])(
    'is answered 200 with the whole image if Range is "%s"',
    async (range) => {
      const { request, whole } = await setUp();
      const response = await request({ range });
      expect(response.status).toBe(200);
      expect((await response.arrayBuffer()).byteLength).toBe(whole.length);
    },
  );

  it('is answered 206 if If-Range has the ETag', async () => {
    const { request, etag } = await setUp();
    expect((await request({ range: 'bytes=0-9', 'if-range': etag })).status).toBe(206);
  });

  it.each([
    ['another ETag', '"other"'],
    ['a date', 'Mon, 23 Nov 2026 00:00:00 GMT'],
  ])('is answered 200 if If-Range has %s', async (_what, ifRange) => {
    const { request } = await setUp();
    expect((await request({ range: 'bytes=0-9', 'if-range': ifRange })).status).toBe(200);
  });

  it('is answered 304 rather than 206 if both Range and If-None-Match match', async () => {
    const { request, etag } = await setUp();
    expect((await request({ range: 'bytes=0-9', 'if-none-match': etag })).status).toBe(304);
  });
});
