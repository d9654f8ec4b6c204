import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EdgepressError } from '../../src/protocol/error.ts';
import { createHostBreakers, isHostRefusal } from '../../src/source/host-breakers.ts';
import { until } from '../support/http/service.ts';
import { failure, listen, openSource, serve, serveTcp } from '../support/source/loopback.ts';

const HOUR_MS = 3_600_000;
const IMAGE = Buffer.from('an image');

/** A source whose breakers go by a clock that the test sets. */
function setUp(options: Parameters<typeof openSource>[0] = {}) {
  let timeMs = 0;
  const hosts = createHostBreakers({ nowMs: () => timeMs });
  return {
    hosts,
    source: openSource({ timeoutMs: 50, hosts, ...options }),
    /** Another with the same breakers, which waits for a good host however busy the machine is. */
    patient: openSource({ hosts }),
    advance: (ms: number) => {
      timeMs += ms;
    },
  };
}

type SetUp = ReturnType<typeof setUp>;

/** Fetches so many pictures one after the other, and returns the errors. */
async function fetchAll({ source }: SetUp, base: string, count: number) {
  const errors = [];
  for (let number = 0; number < count; number++)
    errors.push(await failure(source.fetch(`${base}/${number}.jpg`)));
  return errors;
}

describe('requests to a host', () => {
  it('fail at once after several timeouts, with the same code and a short Retry-After, until a probe is answered', async () => {
    let isSilent = true;
    const server = await serve((_request, response) => {
      if (!isSilent) response.end(IMAGE);
    });
    const base = `http://images.test:${server.port}`;
    const test = setUp();
    expect((await fetchAll(test, base, 5)).map(({ code }) => code)).toEqual(Array(5).fill('source_timeout'));
    const requests = server.connections.length;
    const error = await failure(test.source.fetch(`${base}/next.jpg`));
    expect(error).toMatchObject({ code: 'source_timeout', retryable: true });
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(2);
    expect(isHostRefusal(error)).toBe(true);
    expect(() => test.source.assertReachable(`${base}/next.jpg`)).toThrow('no further requests');
    expect(server.connections).toHaveLength(requests);
    isSilent = false;
    test.advance(2_000);
    expect(Buffer.from(await test.patient.fetch(`${base}/next.jpg`))).toEqual(IMAGE);
    test.source.assertReachable(`${base}/next.jpg`);
  });

  it('are not refused because of another port of the same name', async () => {
    const silent = await serve(() => {});
    const good = await serve((_request, response) => response.end(IMAGE));
    const test = setUp();
    await fetchAll(test, `http://images.test:${silent.port}`, 5);
    expect(Buffer.from(await test.patient.fetch(`http://images.test:${good.port}/`))).toEqual(IMAGE);
    expect(test.hosts.list()).toMatchObject([{ target: `images.test:${silent.port}` }]);
  });

  it.each<[string, () => Promise<string>]>([
    ['refuses connections', async () => `http://images.test:${await closedPort()}`],
    ['resets connections', async () => portOf(await serveTcp((socket) => socket.resetAndDestroy()))],
    ['does not speak TLS', async () => portOf(await serveTcp((socket) => socket.end('no')), 'https')],
    ['does not exist', async () => 'http://nowhere.test'],
  ])('fail at once after several failures of one that %s', async (_what, start) => {
    const test = setUp({ timeoutMs: 5_000 });
    const errors = await fetchAll(test, await start(), 6);
    expect(errors.map(({ code }) => code)).toEqual(Array(6).fill('source_unavailable'));
    expect(errors.map(isHostRefusal)).toEqual([false, false, false, false, false, true]);
  });

  it('fail at once if its name hangs, even if the query never ends', async () => {
    const test = setUp({ resolve: () => {} });
    const errors = await fetchAll(test, 'http://hanging.test', 6);
    expect(errors.map(isHostRefusal)).toEqual([false, false, false, false, false, true]);
  });

  it.each<[string, RequestListener, timeoutMs?: number]>([
    ['answers with errors', (_request, response) => response.writeHead(503).end()],
    ['knows none of the pictures', (_request, response) => response.writeHead(404).end()],
    [
      'answers, but sends the bodies too slowly',
      (_request, response) => response.writeHead(200).write('.'),
      100,
    ],
    [
      'breaks off the bodies',
      (_request, response) => response.writeHead(200).write('.', () => response.destroy()),
    ],
    ['answers with what is not HTTP', (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n')],
  ])('are sent, whatever becomes of them, if it %s', async (_what, handler, timeoutMs = 5_000) => {
    const { port } = await serve(handler);
    const errors = await fetchAll(setUp({ timeoutMs }), `http://images.test:${port}`, 7);
    expect(errors.map(isHostRefusal)).toEqual(Array(7).fill(false));
  });

  it('are sent if only one of its pictures is never answered', async () => {
    const { port } = await serve((_request, _response) => {});
    const { source } = setUp({ timeoutMs: 40 });
    const errors = [];
    for (let times = 0; times < 7; times++)
      errors.push(await failure(source.fetch(`http://images.test:${port}/slow.jpg`)));
    expect(errors.map(isHostRefusal)).toEqual(Array(7).fill(false));
  });

  it('are sent if it redirects to a host that is down, which is refused', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/good.jpg') response.end(IMAGE);
      else response.writeHead(302, { location: 'http://nowhere.test/' }).end();
    });
    const base = `http://images.test:${server.port}`;
    const test = setUp({ timeoutMs: 5_000 });
    // Each redirect leads to the same resource.
    const errors = await fetchAll(test, base, 16);
    expect(errors.map(isHostRefusal)).toEqual([...Array(15).fill(false), true]);
    expect(Buffer.from(await test.source.fetch(`${base}/good.jpg`))).toEqual(IMAGE);
  });

  it('fail at once if it is silent and all of its viewers leave before the timeout', async () => {
    const server = await serve(() => {});
    const { source, hosts } = setUp({ timeoutMs: 400 });
    const base = `http://images.test:${server.port}`;
    const left = [0, 1, 2, 3, 4].map((number) =>
      failure(source.fetch(`${base}/${number}.jpg`, AbortSignal.timeout(50))),
    );
    expect((await Promise.all(left)).map(({ name }) => name)).toEqual(Array(5).fill('TimeoutError'));
    expect(hosts.list()).toEqual([]);
    await until(() => hosts.list().length === 1);
    expect(await failure(source.fetch(`${base}/next.jpg`))).toMatchObject({ code: 'source_timeout' });
  });

  it('are sent if it is slow and all of its viewers leave before it answers', async () => {
    let answers = 0;
    const server = await serve((_request, response) => {
      setTimeout(() => response.end(IMAGE, () => ++answers), 150);
    });
    const { source, hosts } = setUp({ timeoutMs: 400 });
    const base = `http://images.test:${server.port}`;
    for (let round = 1; round <= 3; round++) {
      const left = Array.from({ length: 6 }, (_, number) =>
        failure(source.fetch(`${base}/${round}-${number}.jpg`, AbortSignal.timeout(50))),
      );
      await Promise.all(left);
      await until(() => answers >= round);
    }
    expect(hosts.list()).toEqual([]);
    expect(Buffer.from(await source.fetch(`${base}/next.jpg`))).toEqual(IMAGE);
  });

  it('go on for one of those that were given up, and no longer than until it is answered', async () => {
    const open = new Set<ServerResponse>();
    const server = await serve((_request, response) => {
      open.add(response);
      response.once('close', () => open.delete(response));
    });
    const { source } = setUp({ timeoutMs: 5_000 });
    const base = `http://images.test:${server.port}`;
    const left = [0, 1, 2].map((number) =>
      failure(source.fetch(`${base}/${number}.jpg`, AbortSignal.timeout(600))),
    );
    await Promise.all(left);
    await until(() => open.size === 1);
    for (const response of open) response.writeHead(200).write('.');
    await until(() => open.size === 0);
  });

  it('say nothing, if they were given up before their host answered another', async () => {
    const { open, base } = await serveHeld();
    const { source, hosts } = setUp({ timeoutMs: 800 });
    const left = [0, 1, 2, 3, 4, 5].map((number) =>
      failure(source.fetch(`${base}/${number}.jpg`, AbortSignal.timeout(300))),
    );
    await Promise.all(left);
    await until(() => open.size === 1);
    expect(Buffer.from(await source.fetch(`${base}/good.jpg`))).toEqual(IMAGE);
    await until(() => open.size === 0);
    expect(hosts.list()).toEqual([]);
  });

  it.each([
    ['end with their time if they were given up', 'silent', { timeoutMs: 900, waitMs: 600, laterMs: 1200 }],
    [
      'end at once if they are given up after they were answered',
      'begun',
      { timeoutMs: 3000, waitMs: 400, laterMs: 800 },
    ],
  ])('%s', async (_, name, { timeoutMs, waitMs, laterMs }) => {
    const { open, base } = await serveHeld();
    const { source } = setUp({ timeoutMs });
    const left = failure(source.fetch(`${base}/${name}.jpg`, AbortSignal.timeout(waitMs)));
    await until(() => open.size === 1);
    // It ends when the first has ended, and before that one would if its time began anew when it was given up.
    const later = setUp({ timeoutMs: laterMs }).source.fetch(`${(await serveHeld()).base}/silent.jpg`);
    expect((await failure(later)).code).toBe('source_timeout');
    await left;
    expect(open.size).toBe(0);
  });

  it('that end without saying anything of the host let the next one probe it', async () => {
    let timeMs = 0;
    const hosts = createHostBreakers({ nowMs: () => timeMs });
    const run = (error: Error, resource: string) => {
      const request = { host: 'a.test', resource, signal: new AbortController().signal, timeoutMs: 1000 };
      return failure(hosts.run(request, () => Promise.reject(error)));
    };
    const down = new EdgepressError('source_unavailable', 'no connection');
    for (let nth = 0; nth < 5; nth++) await run(down, `/${nth}`);
    expect(isHostRefusal(await run(down, '/refused'))).toBe(true);
    timeMs += 2000;
    const forbidden = new EdgepressError('source_forbidden', 'not a public address');
    for (const resource of ['/a', '/b']) expect(await run(forbidden, resource)).toBe(forbidden);
  });

  it('say nothing of a host that had less than half of their time, since others had redirected to it', async () => {
    const hosts = createHostBreakers();
    for (let number = 0; number < 20; number++) {
      const late = new AbortController();
      const request = { host: 'a', resource: String(number), signal: late.signal, timeoutMs: HOUR_MS };
      const running = hosts.run(request, async (signal) => {
        late.abort(new EdgepressError('source_timeout', 'too late'));
        signal.throwIfAborted();
      });
      await expect(running).rejects.toThrow('too late');
    }
    hosts.assertReachable('a');
  });

  it('do not go on if they were given up soon', async () => {
    const open = new Set<ServerResponse>();
    const server = await serve((_request, response) => {
      open.add(response);
      response.once('close', () => open.delete(response));
    });
    const { source } = setUp({ timeoutMs: 600_000 });
    const viewer = new AbortController();
    const left = failure(source.fetch(`http://images.test:${server.port}/a.jpg`, viewer.signal));
    await until(() => open.size === 1);
    viewer.abort();
    await left;
    await until(() => open.size === 0);
  });

  it('are sent if nobody waited for earlier ones', async () => {
    const server = await serve(() => {});
    const { source, hosts } = setUp({ timeoutMs: 5_000 });
    const gone = new Error('the viewer left');
    for (let number = 0; number < 6; number++) {
      const viewer = new AbortController();
      const fetching = source.fetch(`http://images.test:${server.port}/${number}.jpg`, viewer.signal);
      const failed = failure(fetching);
      viewer.abort(gone);
      expect(await failed).toBe(gone);
    }
    expect(hosts.list()).toEqual([]);
  });
});

/** A server that answers nothing but a good picture; of another, it answers a part. Returns the answers that it holds. */
async function serveHeld() {
  const open = new Set<ServerResponse>();
  const { port } = await serve((request, response) => {
    if (request.url === '/good.jpg') return void response.end(IMAGE);
    if (request.url === '/begun.jpg') response.writeHead(200).write('.');
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  return { open, base: `http://images.test:${port}` };
}

function portOf({ port }: { port: number }, scheme = 'http'): string {
  return `${scheme}://images.test:${port}`;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const { port } = await listen(server, '127.0.0.1', 0);
  server.close();
  await once(server, 'close');
  return port;
}
