import { type IncomingHttpHeaders, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/http/listen.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { type Service, setUpPhotograph, targetFor, temporaryFolder } from '../support/http/service.ts';

interface Sent {
  method?: string;
  target: string;
  headers?: Record<string, string>;
}

/** Sends a request with exactly this target, over a connection. */
async function send(url: string, { target, ...options }: Sent) {
  return await new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>(
    (resolve, reject) => {
      const sent = request(url, { path: target, ...options }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        const { date: _, 'server-timing': __, 'x-request-id': ___, ...headers } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) });
      });
      sent.on('error', reject).end();
    },
  );
}

/** Returns the URLs of one service behind two ports: with the handler of images, and with the app alone. */
async function listenTwice({ app, handleImage }: Service) {
  const address = { host: '127.0.0.1', port: 0 };
  const listeners = [await listen(app, { ...address, handleImage }), await listen(app, address)] as const;
  onTestFinished(async () => {
    await Promise.all(listeners.map((listener) => listener.close(0)));
  });
  return { direct: listeners[0].url, throughApp: listeners[1].url };
}

describe("Node's handler of images", () => {
  it('answers as the app does, whatever is asked', async () => {
    const { service, target } = await setUpPhotograph();
    const { direct, throughApp } = await listenTwice(service);
    const stored = await target();
    const { etag = '' } = (await send(direct, { target: stored })).headers;
    const forbidden = await targetFor('http://127.0.0.1:1/photo.jpg');
    const requests: Sent[] = [
      { target: stored },
      { target: stored, headers: { accept: 'image/avif;q=0, image/webp', 'save-data': 'on' } },
      { target: stored, method: 'HEAD' },
      { target: stored, method: 'POST' },
      { target: stored, method: 'OPTIONS' },
      { target: stored, headers: { 'if-none-match': etag } },
      { target: stored, headers: { range: 'bytes=5-9' } },
      { target: stored, headers: { range: 'bytes=5-9', 'if-range': '"another"' } },
      { target: stored, headers: { range: 'bytes=999999999-' } },
      { target: stored, headers: { 'cdn-loop': 'edgepress' } },
      { target: stored, headers: { host: 'a b' } },
      { target: `${stored}&exp=1` },
      { target: `${stored}&sig=k1.x` },
      { target: `${stored}&colour=red` },
      { target: forbidden },
      { target: forbidden, method: 'HEAD' },
      { target: '/u/' },
      { target: '/u' },
      { target: '/other' },
      { target: `http://example.com${stored}` },
    ];
    for (const sent of requests) {
      // The second time, what can be stored is.
      await send(direct, sent);
      expect(await send(direct, sent), JSON.stringify(sent)).toEqual(await send(throughApp, sent));
    }
  });

  it('accepts a URL until it expires, however often it was asked for', async () => {
    let seconds = 1_000;
    const { service, target } = await setUpPhotograph({}, { nowMs: () => seconds * 1000 });
    const { direct } = await listenTwice(service);
    const expiring = `${await target()}&exp=1010`;
    const statuses: number[] = [];
    for (seconds of [1_000, 1_005, 1_010, 1_011])
      statuses.push((await send(direct, { target: expiring })).status);
    expect(statuses).toEqual([200, 200, 200, 403]);
  });

  it('answers an object whose headers cannot be sent with an error, and goes on', async () => {
    const folder = await temporaryFolder();
    const store = createFileStore({ root: folder });
    const damaged: VariantStore = {
      ...store,
      peek: () => undefined,
      async get(key) {
        const object = await store.get(key);
        return object && { ...object, cacheControl: 'public\nmax-age=1' };
      },
    };
    const { service, target } = await setUpPhotograph({}, { store: damaged });
    const { direct, throughApp } = await listenTwice(service);
    expect((await send(direct, { target: await target() })).status).toBe(200);
    for (const url of [direct, throughApp]) {
      const { status, body } = await send(url, { target: await target() });
      expect([status, JSON.parse(String(body)).code]).toEqual([500, 'internal']);
    }
    expect(service.log.filter(({ msg }) => String(msg).startsWith('a bug'))).toHaveLength(2);
  });
});
