import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { describePage, openPage } from '../support/browser.ts';
import { startOrigin } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { startServer } from '../support/server-process.ts';

const KEY = { id: 'k1', hex: 'ab'.repeat(16) };
const SECONDS_A_WEEK = 7 * 24 * 60 * 60;

/** Starts a server on loopback, and closes it after the test. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens a page that isolates itself from other origins, unless they allow it. */
async function openIsolatedPage() {
  const url = await listen((_request, response) => {
    response.writeHead(200, {
      'Content-Type': 'text/html',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Opener-Policy': 'same-origin',
    });
    response.end('<!doctype html><title>a page</title>');
  });
  const page = await openPage();
  await page.goto(url);
  return page;
}

/** A service with a photograph behind any path, which serves signed URLs only. */
async function startSigned() {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const { url } = await startServer({
    SIGNING_KEYS: `${KEY.id}:${KEY.hex}`,
    SOURCE_ALLOW_PRIVATE: origin.authority,
  });
  const urlOf = (path: string) =>
    imageUrl({ baseUrl: url, unit: 'unit-1', src: `${origin.url}${path}`, width: 160, format: 'jpeg' }, KEY);
  return { urlOf, origin };
}

describePage('An image in a browser', () => {
  it('is shown on a page that isolates itself, and read by a request with a header of its own', async () => {
    const { urlOf } = await startSigned();
    const url = urlOf('/a.jpg');
    const page = await openIsolatedPage();
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    const seen = await page.evaluate(`(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const { status, headers } = await fetch(src, { headers: { 'x-trace': '1' } });
      const [etag, cacheStatus] = [headers.get('etag'), headers.get('cache-status')];
      return { width: image.naturalWidth, status, etag, cacheStatus };
    })(${JSON.stringify(url)})`);
    expect(seen).toEqual({
      width: 160,
      status: 200,
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      cacheStatus: expect.stringMatching(/^edgepress; /),
    });
  });

  it('has a signature that holds, there and in fetch of Node, whatever printable character is in its source', async () => {
    const { urlOf } = await startSigned();
    const characters = Array.from({ length: 0x7f - 0x20 }, (_, index) => String.fromCharCode(0x20 + index));
    const urls = characters.map((character) => urlOf(`/a${character}b.jpg`));
    const page = await openIsolatedPage();
    const statuses = await page.evaluate(
      async (all) => await Promise.all(all.map(async (one) => (await fetch(one)).status)),
      urls,
    );
    const inNode = await Promise.all(urls.map(async (one) => (await fetch(one)).status));
    for (const seen of [statuses, inNode]) expect(seen).toEqual(Array(urls.length).fill(200));
  });

  it('is not asked for again within a week, however old the copy of a shared cache is', async () => {
    const { urlOf } = await startSigned();
    const url = urlOf('/a.jpg');
    await fetch(url);
    const stored = await fetch(url);
    const cacheControl = stored.headers.get('cache-control') ?? '';
    const body = Buffer.from(await stored.arrayBuffer());
    const [, shared = ''] = /s-maxage=(\d+)/.exec(cacheControl) ?? [];
    const requests: string[] = [];
    // A shared cache that has kept the image for as long as it may.
    const cache = await listen((request, response) => {
      if (request.url?.endsWith('.jpg')) requests.push(request.url);
      const isImage = request.url?.endsWith('.jpg');
      response.writeHead(200, {
        'Content-Type': isImage ? 'image/jpeg' : 'text/html',
        ...(isImage && { 'Cache-Control': cacheControl, Age: shared }),
      });
      response.end(isImage ? body : '<!doctype html><img src="/one.jpg">');
    });
    const page = await openPage();
    for (let view = 0; view < 3; view++) {
      await page.goto(`${cache}/?${view}`, { waitUntil: 'load' });
    }
    expect(requests).toEqual(['/one.jpg']);
    expect(Number(shared)).toBeLessThan(SECONDS_A_WEEK / 2);
  });
});
