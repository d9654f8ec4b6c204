import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf, startOrigin, startService, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A service with a clock that is set, and an origin that answers as it is told. */
async function setUp(env: Record<string, string> = {}) {
  const clock = { nowMs: Date.parse('2026-11-23T10:00:00Z') };
  const answers: { now: (response: ServerResponse) => void } = { now: (response) => response.end() };
  const origin = await startOrigin((_request, response) => answers.now(response));
  const service = await startService(
    { SOURCE_ALLOW_PRIVATE: origin.authority, ...env },
    { nowMs: () => clock.nowMs },
  );
  const src = `${origin.url}/a.jpg`;
  const ask = async (width = 160) => await service.request(await targetFor(src, { width }));
  return { clock, answers, origin, service, src, ask };
}

async function record(folder: string): Promise<Record<string, unknown>> {
  const files = await readdir(folder, { recursive: true });
  const path = files.find((file) => file.endsWith('source.json'));
  return path === undefined ? {} : JSON.parse(await readFile(join(folder, path), 'utf8'));
}

describe('a broken source', () => {
  it('is named by its code and status, and says what was wrong', async () => {
    const photo = await photograph();
    const { answers, service, origin } = await setUp({
      SOURCE_MAX_BYTES: '500000',
      SOURCE_TIMEOUT_MS: '500',
      MAX_PIXELS: '1000000',
    });
    const ways: [string, number, (response: ServerResponse) => void][] = [
      ['source_not_found', 404, (r) => r.writeHead(404).end()],
      ['source_not_found', 404, (r) => r.writeHead(410).end()],
      ['source_unavailable', 502, (r) => r.writeHead(500).end()],
      ['source_unavailable', 502, (r) => r.writeHead(403).end()],
      ['source_unavailable', 502, (r) => r.destroy()],
      [
        'source_unavailable',
        502,
        (r) =>
          r
            .writeHead(200, { 'Content-Length': photo.length })
            .write(photo.subarray(0, 1000), () => r.destroy()),
      ],
      ['source_timeout', 504, () => undefined],
      ['source_too_large', 413, (r) => r.writeHead(200, { 'Content-Length': 500_001 }).flushHeaders()],
      ['source_too_large', 413, (r) => r.end(Buffer.alloc(500_001))],
      [
        'source_not_image',
        415,
        (r) => r.writeHead(200, { 'Content-Type': 'image/jpeg' }).end('<!doctype html><p>Not here.'),
      ],
      ['source_not_image', 415, (r) => r.end()],
      ['source_corrupt', 422, (r) => r.end(photo.subarray(0, photo.length / 2))],
      ['source_forbidden', 403, (r) => r.writeHead(302, { Location: 'http://127.0.0.1:1/a.jpg' }).end()],
      ['source_forbidden', 403, (r) => r.writeHead(302, { Location: 'file:///etc/passwd' }).end()],
      ['source_unavailable', 502, (r) => r.writeHead(302, { Location: '/again' }).end()],
    ];
    for (const [index, [code, status, answer]] of ways.entries()) {
      answers.now = answer;
      const response = await service.request(await targetFor(`${origin.url}/${index}.jpg`));
      expect([await codeOf(response), response.status], `way ${index}`).toEqual([code, status]);
    }
    const files = await readdir(service.folder, { recursive: true });
    expect(files.filter((file) => file.endsWith('.jpeg'))).toEqual([]);
  });

  it('is logged with what really happened, which the client is not told', async () => {
    const { answers, service, ask } = await setUp();
    answers.now = (response) => response.destroy();
    expect(await (await ask()).json()).not.toHaveProperty('reason');
    expect(service.log).toMatchObject([{ code: 'source_unavailable', reason: expect.any(String) }]);
  });

  it('is remembered, so that it is asked for once, whatever variant is wanted', async () => {
    const { answers, origin, service, src, ask } = await setUp();
    answers.now = (response) => response.writeHead(404).end();
    for (const width of [160, 160, 320, 720]) expect(await codeOf(await ask(width))).toBe('source_not_found');
    expect(origin.requests).toHaveLength(1);
    expect(await record(service.folder)).toEqual({
      code: 'source_not_found',
      detail: expect.stringContaining('404'),
      since: '2026-11-23T10:00:00.000Z',
      lastAttempt: '2026-11-23T10:00:00.000Z',
      nextAttempt: '2026-11-23T11:00:00.000Z',
      failures: 1,
      retryable: false,
    });
    expect(await codeOf(await service.request(await targetFor(`${src}?other`)))).toBe('source_not_found');
    expect(origin.requests).toHaveLength(2);
  });

  it('is tried again after minutes where there is hope, and says when', async () => {
    const { clock, answers, origin, ask } = await setUp();
    answers.now = (response) => response.writeHead(503).end();
    const patience = [1, 2, 4, 8, 16, 32, 60, 60];
    for (const minutes of patience) {
      const response = await ask();
      expect(response.headers.get('retry-after')).toBe(String(minutes * 60));
      expect(response.headers.get('cache-control')).toBe('public, max-age=60');
      clock.nowMs += minutes * MINUTE_MS - 1500;
      expect((await ask()).headers.get('retry-after')).toBe('2');
      clock.nowMs += 1500;
    }
    expect(origin.requests).toHaveLength(patience.length);
  });

  it('is left alone for hours where there is none', async () => {
    const { clock, answers, origin, ask } = await setUp();
    answers.now = (response) => response.end('not an image');
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      const response = await ask();
      expect(response.headers.get('retry-after')).toBeNull();
      clock.nowMs += hours * HOUR_MS - 1;
      const before = origin.requests.length;
      await ask();
      expect(origin.requests).toHaveLength(before);
      clock.nowMs += 1;
    }
    expect(origin.requests).toHaveLength(7);
  });

  it('is believed when it says when to come back', async () => {
    const { answers, ask } = await setUp();
    answers.now = (response) => response.writeHead(429, { 'Retry-After': '600' }).end();
    expect((await ask()).headers.get('retry-after')).toBe('600');
  });

  it('that works again is served, and forgotten to have been broken', async () => {
    const { clock, answers, service, ask } = await setUp();
    answers.now = (response) => response.writeHead(404).end();
    await ask();
    const photo = await photograph();
    answers.now = (response) => response.end(photo);
    expect((await ask()).status).toBe(404);
    clock.nowMs += HOUR_MS;
    expect((await ask()).status).toBe(200);
    expect(await record(service.folder)).toEqual({});
  });

  it('that turns up broken costs no variant that is stored', async () => {
    const { answers, ask } = await setUp();
    const photo = await photograph();
    answers.now = (response) => response.end(photo);
    expect((await ask(160)).status).toBe(200);
    answers.now = (response) => response.writeHead(500).end();
    expect((await ask(320)).status).toBe(502);
    expect((await ask(160)).status).toBe(200);
  });

  it('is tried again when what was remembered of it cannot be read', async () => {
    const { answers, origin, service, ask } = await setUp();
    answers.now = (response) => response.writeHead(404).end();
    await ask();
    const files = await readdir(service.folder, { recursive: true });
    await writeFile(
      join(service.folder, files.find((file) => file.endsWith('source.json')) ?? ''),
      '{"code":"internal"}',
    );
    await ask();
    expect(origin.requests).toHaveLength(2);
    expect(await record(service.folder)).toMatchObject({ code: 'source_not_found', failures: 1 });
  });

  it('outside the allowlist is refused without being asked for', async () => {
    const { origin, service } = await setUp({ SOURCE_ALLOW: 'https://*.example.com/*' });
    for (const src of [`${origin.url}/a.jpg`, 's3://bucket/key', 'https://example.org/a.jpg']) {
      const response = await service.request(await targetFor(src));
      expect([response.status, await codeOf(response)]).toEqual([403, 'source_forbidden']);
    }
    expect(origin.requests).toEqual([]);
    expect(await record(service.folder)).toEqual({});
  });

  it('that is no URL after all is the fault of whoever asked', async () => {
    const { service } = await setUp();
    for (const src of ['http://999.1.1.1/a.jpg', 'https://x..test/a.jpg']) {
      const response = await service.request(await targetFor(src));
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'src' });
    }
  });

  it('at a private address is refused, in every notation', async () => {
    const { origin, service } = await setUp();
    const port = new URL(origin.url).port;
    for (const host of ['127.0.0.2', '2130706434', '0x7f.2', '0177.0.0.2', '[::ffff:127.0.0.2]', '127.1.1']) {
      const response = await service.request(await targetFor(`http://${host}:${port}/a.jpg`));
      expect(await codeOf(response), host).toBe('source_forbidden');
    }
    expect(origin.requests).toEqual([]);
  });
});
