import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, startOrigin, startService, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

type Answer = (response: ServerResponse) => void;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A service with a clock that the test sets, and an origin that answers as the test says. */
async function setUp(env: Record<string, string> = {}) {
  const clock = { nowMs: Date.parse('2026-11-23T10:00:00Z') };
  const answer: { current: Answer } = { current: (response) => response.end() };
  const origin = await startOrigin((_request, response) => answer.current(response));
  const service = await startService(
    { SOURCE_ALLOW_PRIVATE: origin.authority, ...env },
    { nowMs: () => clock.nowMs },
  );
  const src = `${origin.url}/a.jpg`;
  const request = async (width = 160) => await service.request(targetFor(src, { width }));
  return { clock, answer, origin, service, src, request };
}

async function record(folder: string): Promise<Record<string, unknown>> {
  const files = await readdir(folder, { recursive: true });
  const path = files.find((file) => file.endsWith('source.json'));
  return path === undefined ? {} : JSON.parse(await readFile(join(folder, path), 'utf8'));
}

describe('A broken source', () => {
  const photo = photograph();
  const LIMITS = { SOURCE_MAX_BYTES: '500000', MAX_PIXELS: '1000000' };

  it.each<
    [code: string, status: number, way: string, answer: (response: ServerResponse, photo: Buffer) => void]
  >([
    ['source_not_found', 404, 'is missing (404)', (r) => r.writeHead(404).end()],
    ['source_not_found', 404, 'is gone (410)', (r) => r.writeHead(410).end()],
    ['source_unavailable', 502, 'answers 500', (r) => r.writeHead(500).end()],
    ['source_unavailable', 502, 'answers 403', (r) => r.writeHead(403).end()],
    ['source_unavailable', 502, 'closes the connection', (r) => r.destroy()],
    [
      'source_unavailable',
      502,
      'sends fewer bytes than declared',
      (r, photo) =>
        r
          .writeHead(200, { 'Content-Length': photo.length })
          .write(photo.subarray(0, 1000), () => r.destroy()),
    ],
    [
      'source_too_large',
      413,
      'declares more bytes than allowed',
      (r) => r.writeHead(200, { 'Content-Length': 500_001 }).flushHeaders(),
    ],
    ['source_too_large', 413, 'sends more bytes than allowed', (r) => r.end(Buffer.alloc(500_001))],
    [
      'source_not_image',
      415,
      'is HTML declared as JPEG',
      (r) => r.writeHead(200, { 'Content-Type': 'image/jpeg' }).end('<!doctype html><p>Not here.'),
    ],
    ['source_not_image', 415, 'is empty', (r) => r.end()],
    ['source_corrupt', 422, 'is truncated', (r, photo) => r.end(photo.subarray(0, photo.length / 2))],
    [
      'source_forbidden',
      403,
      'redirects to a private address',
      (r) => r.writeHead(302, { Location: 'http://127.0.0.1:1/a.jpg' }).end(),
    ],
    [
      'source_forbidden',
      403,
      'redirects to a file URL',
      (r) => r.writeHead(302, { Location: 'file:///etc/passwd' }).end(),
    ],
    ['source_unavailable', 502, 'redirects for ever', (r) => r.writeHead(302, { Location: '/again' }).end()],
    ['source_timeout', 504, 'never answers', () => undefined],
  ])(
    'is answered with %s and status %i if it %s, and no variant is stored',
    async (code, status, _way, sendAnswer) => {
      const timeout = code === 'source_timeout' ? { SOURCE_TIMEOUT_MS: '200' } : {};
      const { answer, service, request } = await setUp({ ...LIMITS, ...timeout });
      const bytes = await photo;
      answer.current = (response) => sendAnswer(response, bytes);
      const response = await request();
      expect([await codeOf(response), response.status]).toEqual([code, status]);
      const files = await readdir(service.folder, { recursive: true });
      expect(files.filter((file) => file.endsWith('.jpeg'))).toEqual([]);
    },
  );

  it('is logged with the cause, which the client does not learn', async () => {
    const { answer, service, request } = await setUp();
    answer.current = (response) => response.destroy();
    expect(await (await request()).json()).not.toHaveProperty('reason');
    expect(service.log).toMatchObject([{ code: 'source_unavailable', reason: expect.any(String) }]);
  });

  it('has a cached failure, so that it is fetched once for all of its variants', async () => {
    const { answer, origin, service, src, request } = await setUp();
    answer.current = (response) => response.writeHead(404).end();
    for (const width of [160, 160, 320, 720])
      expect(await codeOf(await request(width))).toBe('source_not_found');
    expect(origin.requests).toHaveLength(1);
    expect(await record(service.folder)).toEqual({
      code: 'source_not_found',
      detail: expect.stringContaining('404'),
      since: '2026-11-23T10:00:00.000Z',
      lastAttempt: '2026-11-23T10:00:00.000Z',
      lastPurge: null,
      nextAttempt: '2026-11-23T11:00:00.000Z',
      failures: 1,
      retryable: false,
      url: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(await codeOf(await service.request(targetFor(`${src}?other`)))).toBe('source_not_found');
    expect(origin.requests).toHaveLength(2);
  });

  it('is tried again after minutes if the failure is retryable, and Retry-After says when', async () => {
    const { clock, answer, origin, request } = await setUp();
    answer.current = (response) => response.writeHead(503).end();
    const waitMinutes = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const minutes of waitMinutes) {
      const response = await request();
      expect(response.headers.get('retry-after')).toBe(String(minutes * 60));
      expect(response.headers.get('cache-control')).toBe('public, max-age=60');
      clock.nowMs += minutes * MINUTE_MS - 1500;
      expect((await request()).headers.get('retry-after')).toBe('2');
      clock.nowMs += 1500;
    }
    expect(origin.requests).toHaveLength(waitMinutes.length);
  });

  it('is not fetched again for hours if the failure is not retryable', async () => {
    const { clock, answer, origin, request } = await setUp();
    answer.current = (response) => response.end('not an image');
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      const response = await request();
      expect(response.headers.get('retry-after')).toBeNull();
      clock.nowMs += hours * HOUR_MS - 1;
      const before = origin.requests.length;
      await request();
      expect(origin.requests).toHaveLength(before);
      clock.nowMs += 1;
    }
    expect(origin.requests).toHaveLength(7);
  });

  it.each([
    ['once', '600'],
    ['twice', ['600', '600']],
  ])('is not fetched again before the time in its own Retry-After, sent %s', async (_times, retryAfter) => {
    const { answer, request } = await setUp();
    answer.current = (response) => response.writeHead(429, { 'Retry-After': retryAfter }).end();
    expect((await request()).headers.get('retry-after')).toBe('600');
  });

  it.each([
    ['20 seconds later', 20, 'public, max-age=20'],
    ['now', 0, 'public, max-age=0'],
    ['an hour later', 3600, 'public, max-age=60'],
  ])('is in no cache after its URL has expired: %s', async (_when, seconds, cacheControl) => {
    const { clock, answer, origin, service, src } = await setUp();
    answer.current = (response) => response.writeHead(404).end();
    const expiring = targetFor(src, { expiresAt: clock.nowMs / 1000 + seconds });
    // The second answer is from the record.
    for (let time = 0; time < 2; time++)
      expect((await service.request(expiring)).headers.get('cache-control')).toBe(cacheControl);
    expect(origin.requests).toHaveLength(1);
    const lasting = await service.request(targetFor(src));
    expect(lasting.headers.get('cache-control')).toBe('public, max-age=60');
  });

  it.each([
    ['is tried again at once if the clock that recorded the failure was an hour ahead', -HOUR_MS, 2],
    ['is not tried again at once if that clock was half a minute ahead', -MINUTE_MS / 2, 1],
  ])('%s', async (_name, steppedMs, requests) => {
    const { clock, answer, origin, request } = await setUp();
    answer.current = (response) => response.writeHead(404).end();
    await request();
    clock.nowMs += steppedMs;
    await request();
    expect(origin.requests).toHaveLength(requests);
  });

  it('is served once it works again, and its record is deleted', async () => {
    const { clock, answer, service, request } = await setUp();
    answer.current = (response) => response.writeHead(404).end();
    await request();
    const photo = await photograph();
    answer.current = (response) => response.end(photo);
    expect((await request()).status).toBe(404);
    clock.nowMs += HOUR_MS;
    expect((await request()).status).toBe(200);
    expect(await record(service.folder)).toEqual({});
  });

  it('leaves variants in place that were stored before it broke', async () => {
    const { answer, request } = await setUp();
    const photo = await photograph();
    answer.current = (response) => response.end(photo);
    expect((await request(160)).status).toBe(200);
    answer.current = (response) => response.writeHead(500).end();
    expect((await request(320)).status).toBe(502);
    expect((await request(160)).status).toBe(200);
  });

  it('is tried again if its record cannot be parsed', async () => {
    const { answer, origin, service, request } = await setUp();
    answer.current = (response) => response.writeHead(404).end();
    await request();
    const files = await readdir(service.folder, { recursive: true });
    await writeFile(
      join(service.folder, files.find((file) => file.endsWith('source.json')) ?? ''),
      '{"code":"internal"}',
    );
    await request();
    expect(origin.requests).toHaveLength(2);
    expect(await record(service.folder)).toMatchObject({ code: 'source_not_found', failures: 1 });
  });

  it('is refused without a request to it if it is outside the allowlist', async () => {
    const { origin, service } = await setUp({ SOURCE_ALLOW: 'https://*.example.com/*' });
    for (const src of [`${origin.url}/a.jpg`, 's3://bucket/key', 'https://example.org/a.jpg']) {
      const response = await service.request(targetFor(src));
      expect([response.status, await codeOf(response)]).toEqual([403, 'source_forbidden']);
    }
    expect(origin.requests).toEqual([]);
    expect(await record(service.folder)).toEqual({});
  });

  it('is a bad_request of the client if it is not a valid URL', async () => {
    const { service } = await setUp();
    for (const src of ['http://999.1.1.1/a.jpg', 'https://x..test/a.jpg']) {
      const response = await service.request(targetFor(src));
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'src' });
    }
  });

  it('is refused at a private address, in every notation of the address', async () => {
    const { origin, service } = await setUp();
    const port = new URL(origin.url).port;
    for (const host of ['127.0.0.2', '2130706434', '0x7f.2', '0177.0.0.2', '[::ffff:127.0.0.2]', '127.1.1']) {
      const response = await service.request(targetFor(`http://${host}:${port}/a.jpg`));
      expect(await codeOf(response), host).toBe('source_forbidden');
    }
    expect(origin.requests).toEqual([]);
  });
});
