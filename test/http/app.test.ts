import { describe, expect, it } from 'vitest';
import { codeOf, setUpPhotograph, targetFor } from '../support/http/service.ts';

describe('the rest of the service', () => {
  it('says that it lives', async () => {
    const { service } = await setUpPhotograph();
    expect(await (await service.request('/healthz')).json()).toEqual({ status: 'ok', storeFaults: {} });
  });

  it('knows no other path and no other method', async () => {
    const { service, target } = await setUpPhotograph();
    for (const path of ['/', '/u', '/favicon.ico', '/healthz/', '//u/a', '/U/a', '/u%2fa', '*']) {
      expect(await codeOf(await service.request(path)), path).toBe('not_found');
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const path of [await target(), '/healthz']) {
        const response = await service.request(path, { method });
        expect(response.headers.get('allow')).toBe('GET, HEAD');
        expect(await codeOf(response)).toBe('method_not_allowed');
      }
    }
  });

  it('takes a whole URL as the target, as proxies send it', async () => {
    const { service, target } = await setUpPhotograph();
    expect((await service.request(`http://images.example${await target()}`)).status).toBe(200);
  });

  it('refuses to be its own source', async () => {
    const { origin, service, target } = await setUpPhotograph();
    for (const loop of ['edgepress', 'cloudfront; a=b, Edgepress;v=1']) {
      const response = await service.request(await target(), { headers: { 'cdn-loop': loop } });
      expect(response.status).toBe(403);
      expect(await codeOf(response)).toBe('source_forbidden');
      // Or whoever sends such a header could keep the picture from everyone else.
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
    expect(origin.requests).toEqual([]);
    expect((await service.request(await target(), { headers: { 'cdn-loop': 'cloudfront' } })).status).toBe(
      200,
    );
  });

  it('logs one line a request, with neither query nor signature', async () => {
    const { service, src } = await setUpPhotograph();
    await service.request(await targetFor(`${src}?token=secret`, { width: 160 }));
    await service.request(await targetFor(`${src}?token=secret`, { width: 160 }));
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
