import { rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listen } from '../../src/http/listen.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { sendRaw } from '../support/http/raw-http.ts';
import { type Service, setUpPhotograph, targetFor, temporaryFolder, until } from '../support/http/service.ts';

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

/** A service that has a variant in memory. Returns its target, and its key in the store in this folder. */
async function setUpHit() {
  const root = await temporaryFolder();
  const store = createFileStore({ root });
  const { service, target } = await setUpPhotograph({}, { store });
  const urls = await listenTwice(service);
  const stored = await target();
  await send(urls.direct, { target: stored });
  const keys: string[] = [];
  for await (const { key } of store.list('v1')) keys.push(key);
  const key = keys.find((one) => !one.endsWith('.json')) ?? '';
  await until(async () => {
    await send(urls.direct, { target: stored });
    return store.peek?.(key) !== undefined;
  });
  return { ...urls, target: stored, root, key };
}

describe("Node's handler of images", () => {
  it('answers as the app does, whatever is asked', async () => {
    const { service, target } = await setUpPhotograph();
    const { direct, throughApp } = await listenTwice(service);
    const stored = await target();
    const { etag = '' } = (await send(direct, { target: stored })).headers;
    const forbidden = targetFor('http://127.0.0.1:1/photo.jpg');
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

  it('answers as the app does for a broken source', async () => {
    const nowMs = () => 1_000_000;
    const { service, target } = await setUpPhotograph({ SOURCE_MAX_BYTES: '1000' }, { nowMs });
    const { direct, throughApp } = await listenTwice(service);
    const broken = await target();
    const expiring = `${broken}&exp=1010`;
    for (const sent of [{ target: broken }, { target: broken, method: 'HEAD' }, { target: expiring }])
      expect(await send(direct, sent)).toEqual(await send(throughApp, sent));
    const { headers } = await send(direct, { target: expiring, method: 'HEAD' });
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=10',
      'content-length': expect.any(String),
    });
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

describe('a hit in memory', () => {
  it('is answered as by the app, each time that it is asked for', async () => {
    const { direct, throughApp, target } = await setUpHit();
    const { etag = '' } = (await send(direct, { target })).headers;
    const requests: Sent[] = [
      { target },
      { target, method: 'HEAD' },
      { target, headers: { 'if-none-match': etag } },
      { target, headers: { range: 'bytes=5-9' } },
      { target, headers: { range: 'bytes=999999999-' } },
      { target, headers: { connection: 'close' } },
    ];
    for (const sent of [...requests, ...requests])
      expect(await send(direct, sent), JSON.stringify(sent)).toEqual(await send(throughApp, sent));
  });

  it.each([
    ['one after another', ['HTTP/1.1', '', 'keep-alive'], ['HTTP/1.1', '', 'keep-alive']],
    ['from a client of HTTP/1.0', ['HTTP/1.0', '', 'close']],
    ['from one that keeps its connection', ['HTTP/1.0', 'Connection: keep-alive\r\n', 'keep-alive']],
    [
      'with an expectation',
      ['HTTP/1.1', '', 'keep-alive'],
      ['HTTP/1.1', 'Expect: 100-continue\r\n', 'close'],
    ],
  ])('keeps the connection open if the client does, and says so: %s', async (_, ...exchanges) => {
    const { direct, target } = await setUpHit();
    const { body } = await send(direct, { target });
    const last = exchanges.at(-1)?.[2] === 'close' ? [] : [['HTTP/1.1', 'Connection: close\r\n', 'close']];
    const all = [...exchanges, ...last];
    const text = all
      .map(([version, fields]) => `GET ${target} ${version}\r\nHost: a\r\n${fields}\r\n`)
      .join('');
    const responses = await sendRaw(direct, text);
    expect(responses.map(({ headers }) => headers.get('connection'))).toEqual(all.map(([, , says]) => says));
    const stable = ({ headers }: (typeof responses)[number]) =>
      [...headers.keys()].filter((name) => name !== 'keep-alive');
    for (const response of responses) {
      expect(response.status).toBe(200);
      expect(response.body).toBe(body.toString('latin1'));
      expect(stable(response)).toEqual(stable(responses[0] as (typeof responses)[number]));
    }
  });

  it('has the time of its answer as its Date, and an id of its own', async () => {
    const { direct, target } = await setUpHit();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const ids = new Set<string | undefined>();
    for (const time of ['2031-01-05T00:00:00Z', '2031-12-15T10:20:30Z']) {
      vi.setSystemTime(time);
      const text = `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const last = text.replace('Host', 'Connection: close\r\nHost');
      const [first] = await sendRaw(direct, text + last);
      expect(first?.headers.get('date')?.slice(5, 16)).toBe(new Date(time).toUTCString().slice(5, 16));
      ids.add(first?.headers.get('x-request-id'));
    }
    expect(ids.size).toBe(2);
  });

  it('is none any more as soon as another process has removed or replaced the file', async () => {
    const { direct, target, root, key } = await setUpHit();
    rmSync(join(root, key));
    expect((await send(direct, { target })).headers['cache-status']).toBe('edgepress; fwd=miss; stored');

    const replaced = await setUpHit();
    const body = Buffer.from('another');
    const other = createFileStore({ root: replaced.root });
    const { etag } = await other.put(replaced.key, body, {
      contentType: 'image/avif',
      cacheControl: 'max-age=7',
    });
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(replaced.direct, { target: replaced.target, method });
      expect(answer.headers).toMatchObject({ etag, 'cache-control': 'max-age=7', 'content-length': '7' });
      expect(String(answer.body)).toBe(method === 'GET' ? 'another' : '');
    }
  });
});
