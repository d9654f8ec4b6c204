import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { failure, fetcherAt, fetchFrom, openSource, serve } from '../support/source/loopback.ts';

describe('the requests of an HTTP source', () => {
  it('sends a GET with the exact path and query, and exactly these headers', async () => {
    let seen: { method?: string; url?: string; headers: IncomingHttpHeaders } | undefined;
    const server = await serve((request, response) => {
      seen = request as typeof seen;
      response.end('bytes');
    });
    await fetcherAt(server.port)("/a%2Fb/c'.jpg?x=%20&y=+#fragment");
    expect(seen?.method).toBe('GET');
    expect(seen?.url).toBe("/a%2Fb/c'.jpg?x=%20&y=+");
    expect(seen?.headers).toEqual({
      host: `images.test:${server.port}`,
      connection: 'keep-alive',
      'user-agent': 'edgepress/9.9.9 (+https://images.example)',
      accept:
        'image/jpeg,image/png,image/webp,image/gif,image/avif;q=0.9,image/heic;q=0.9,image/*;q=0.8,*/*;q=0.1',
      'accept-encoding': 'identity',
      'cdn-loop': 'edgepress',
    });
  });

  it('sends no referer after a redirect', async () => {
    let headers: IncomingHttpHeaders = {};
    await fetchFrom((request, response) => {
      headers = request.headers;
      if (request.url === '/b.jpg') response.end('bytes');
      else response.writeHead(302, { location: '/b.jpg' }).end();
    });
    expect(headers).not.toHaveProperty('referer');
  });
});

describe('a fetch from an HTTP source', () => {
  it('returns the bytes of a 200 with a length, without one, and with an empty body', async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const whole = await fetchFrom((_request, response) => response.end(body));
    const chunked = await fetchFrom((_request, response) => {
      response.write(body.subarray(0, 100_000));
      response.end(body.subarray(100_000));
    });
    const empty = await fetchFrom((_request, response) => response.end());
    expect([body.equals(whole), body.equals(chunked), empty.length]).toEqual([true, true, 0]);
  });

  it('returns bytes that own their buffer', async () => {
    const bytes = await fetchFrom((_request, response) => response.end('bytes'));
    expect(bytes.buffer.byteLength).toBe(5);
  });

  it('reuses its connections after responses of any kind', async () => {
    const statuses: Record<string, number> = { '/gone': 404, '/from': 302, '/busy': 503 };
    const server = await serve((request, response) => {
      const status = statuses[request.url ?? ''] ?? 200;
      response.writeHead(status, status === 302 ? { location: '/to' } : {}).end(Buffer.alloc(100_000));
    });
    const fetch = fetcherAt(server.port);
    for (const path of ['/a.jpg', '/gone', '/from', '/busy', '/gone', '/from', '/busy', '/a.jpg']) {
      await fetch(path).catch(() => {});
    }
    // Two, not one: undici's pool counts a connection as busy until a moment after its response is complete.
    expect(server.connections.length).toBeLessThanOrEqual(2);
  });

  it('opens a connection for each concurrent fetch', async () => {
    const waiting: (() => void)[] = [];
    const server = await serve((_request, response) => {
      waiting.push(() => response.end('bytes'));
      if (waiting.length === 32) for (const respond of waiting.splice(0)) respond();
    });
    const fetch = fetcherAt(server.port);
    await Promise.all(Array.from({ length: 32 }, () => fetch()));
    expect(server.connections).toHaveLength(32);
  });

  it('throws source_unavailable if the HTTP source is closed meanwhile', async () => {
    const { port } = await serve(() => {});
    const source = openSource();
    const pending = failure(source.fetch(`http://images.test:${port}/`));
    await source.close();
    expect(await pending).toMatchObject({ code: 'source_unavailable', retryable: true });
  });
});
