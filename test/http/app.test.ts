import { describe, expect, it } from 'vitest';
import { codeOf, setUpPhotograph, startOrigin, startService, targetFor } from '../support/http/service.ts';

describe('The app', () => {
  it('answers GET /healthz with its status and the faults of the store', async () => {
    const { service } = await setUpPhotograph();
    const response = await service.request('/healthz');
    expect(await response.json()).toEqual({ status: 'ok', storeFaults: {} });
  });

  it.each([
    '/u',
    '/playground',
    '/favicon.ico',
    '/healthz/',
    '//u/a',
    '/U/a',
    '/u%2fa',
    '*',
    'healthz',
    'u/a',
  ])('answers not_found for the unknown path %s', async (path) => {
    const { service } = await setUpPhotograph();
    expect(await codeOf(await service.request(path))).toBe('not_found');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    'answers method_not_allowed for %s of an image and of /healthz',
    async (method) => {
      const { service, target } = await setUpPhotograph();
      for (const [path, allowed] of [
        [await target(), 'GET, HEAD, OPTIONS'],
        ['/healthz', 'GET, HEAD'],
      ] as const) {
        const response = await service.request(path, { method });
        expect(response.headers.get('allow')).toBe(allowed);
        expect(await codeOf(response)).toBe('method_not_allowed');
      }
    },
  );

  it('answers a CORS preflight of an image, signed or not, and of nothing else', async () => {
    const { service, target } = await setUpPhotograph();
    const preflight = {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-trace',
      },
    };
    const response = await service.request(await target(), preflight);
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': '*',
    });
    expect(await codeOf(await service.request('/healthz', preflight))).toBe('method_not_allowed');
  });

  it('says of every problem whether the same request may succeed later', async () => {
    const failing = await startOrigin((_request, response) => response.writeHead(500).end());
    const service = await startService({ SOURCE_ALLOW_PRIVATE: failing.authority });
    const unavailable = await service.request(targetFor(`${failing.url}/a.jpg`));
    expect(await unavailable.json()).toMatchObject({ code: 'source_unavailable', retryable: true });
    const malformed = await service.request('/u/unit-1');
    expect(await malformed.json()).toMatchObject({ code: 'bad_request', retryable: false });
  });

  it('accepts a whole URL as the request target, as proxies send it', async () => {
    const { service, target } = await setUpPhotograph();
    expect((await service.request(`http://images.example${await target()}`)).status).toBe(200);
  });

  it.each([
    ['alone', 'edgepress'],
    ['in any case after another CDN', 'cloudfront; a=b, Edgepress;v=1'],
  ])('refuses a request that names this service in CDN-Loop, %s', async (_where, loop) => {
    const { origin, service, target } = await setUpPhotograph();
    const response = await service.request(await target(), { headers: { 'cdn-loop': loop } });
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe('source_forbidden');
    // Otherwise anyone who sends such a header could make caches withhold the image from everyone else.
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(origin.requests).toEqual([]);
  });

  it('accepts a request that names only other CDNs in CDN-Loop', async () => {
    const { service, target } = await setUpPhotograph();
    const response = await service.request(await target(), { headers: { 'cdn-loop': 'cloudfront' } });
    expect(response.status).toBe(200);
  });

  it('logs one line per request, without query and signature', async () => {
    const { service, src } = await setUpPhotograph();
    await service.request(targetFor(`${src}?token=secret`, { width: 160 }));
    await service.request(targetFor(`${src}?token=secret`, { width: 160 }));
    await service.request('/u/unit-2?src=https://user.test/%0asecret');
    await service.request(`/u/unit-3?src=${src.replace('photo', 'secret')}&sig=k.secret`);
    const host = new URL(src).host;
    expect(service.log).toMatchObject([
      {
        unit: 'unit-1',
        sourceHost: host,
        outcome: 'miss',
        status: 200,
        bytesIn: expect.any(Number),
        bytesOut: expect.any(Number),
        storeMs: expect.any(Number),
        fetchMs: expect.any(Number),
        encodeMs: expect.any(Number),
        putMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
      {
        unit: 'unit-1',
        outcome: 'hit',
        status: 200,
        bytesOut: expect.any(Number),
        storeMs: expect.any(Number),
      },
      { outcome: 'error', code: 'bad_request', status: 400 },
      { unit: 'unit-3', sourceHost: host, outcome: 'error', code: 'bad_signature', status: 403 },
    ]);
    expect(JSON.stringify(service.log)).not.toContain('secret');
  });
});
