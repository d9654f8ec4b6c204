import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startListener } from '../support/http/listener.ts';
import { openConnection } from '../support/http/raw-http.ts';
import { targetFor, until } from '../support/http/service.ts';

const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';

/** Fetches an image, so that it is stored. */
async function storeImage({ url, origin, answerAll }: Awaited<ReturnType<typeof startListener>>) {
  const target = targetFor(`${origin.url}/a.jpg`, { width: 2048, tier: 'high', format: 'jpeg' });
  const response = fetch(url + target);
  await until(() => origin.requests.length === 1);
  answerAll();
  return { target, bytes: (await (await response).arrayBuffer()).byteLength };
}

/** Sends requests and reads nothing, until no more of them is read either. */
function requestMuch(socket: Socket, target: string): void {
  socket.pause();
  for (let count = 0; count < 200; count++) socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
}

describe('A listener closes a connection', () => {
  it.each([
    ['that sends nothing', ''],
    ['with half a request', 'GET /healthz HT'],
    [
      'with half a body',
      'POST /units HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer operators\r\nContent-Length: 9\r\n\r\n{',
    ],
  ])('%s any more', async (_, text) => {
    const { url } = await startListener({ maxStillMs: 50 });
    const socket = await openConnection(url);
    socket.write(text);
    await once(socket.resume(), 'close');
  });

  it('that does not close it after its request was refused', async () => {
    const { url } = await startListener();
    const socket = await openConnection(url);
    socket.allowHalfOpen = true;
    socket.write('GARBAGE\r\n\r\n');
    await once(socket.resume(), 'end');
    // Writing to a connection that is closed at the other end ends it here.
    const writing = setInterval(() => socket.write('more'), 20);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(writing);
  });

  it('whose client does not read', async () => {
    const started = await startListener({ maxStillMs: 100 });
    const { target } = await storeImage(started);
    const socket = await openConnection(started.url);
    requestMuch(socket, target);
    await passTime(started.url);
    await until(() => isReset(socket));
  });

  it('of a slow client, if all of them hold too much in memory', async () => {
    const started = await startListener({ maxUnreadBytes: 1000 });
    const { target } = await storeImage(started);
    const socket = await openConnection(started.url);
    requestMuch(socket, target);
    await until(() => isReset(socket));
  });

  it('that waits for another request, if there are many', async () => {
    const { url } = await startListener({ maxConnections: 4 });
    const idle = await Promise.all([1, 2, 3].map(() => openConnection(url)));
    for (const socket of idle) {
      socket.write(HEALTH);
      await once(socket, 'data');
    }
    const next = await openConnection(url);
    await Promise.all(idle.map((socket) => once(socket, 'close')));
    next.write(HEALTH);
    expect(String((await once(next, 'data'))[0])).toMatch(/^HTTP\/1.1 200 /);
  });

  it('above the most that it accepts', async () => {
    const { url } = await startListener({ maxConnections: 2 });
    const sockets = [await openConnection(url), await openConnection(url), await openConnection(url)];
    await Promise.race(sockets.map((socket) => once(socket.resume(), 'close')));
  });
});

describe('A listener keeps a connection', () => {
  it('while it thinks about the answer', async () => {
    const { url, origin, answerAll } = await startListener({ maxStillMs: 30 });
    const response = fetch(url + targetFor(`${origin.url}/a.jpg`));
    await until(() => origin.requests.length === 1);
    await passTime(url);
    answerAll();
    expect((await response).status).toBe(200);
  });
});

/** Waits for longer than a connection may stand still: until some have been closed for it, one after the other. */
async function passTime(url: string): Promise<void> {
  for (let count = 0; count < 5; count++) await once((await openConnection(url)).resume(), 'close');
}

/** Whether the other end has closed a connection that nobody reads. */
function isReset(socket: Socket): boolean {
  socket.write('more');
  return socket.destroyed;
}
