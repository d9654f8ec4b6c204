import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startListener } from '../support/http/listener.ts';
import { openConnection, parseResponses, sendRaw } from '../support/http/raw-http.ts';
import { targetFor, until } from '../support/http/service.ts';

const AUTHORIZED = 'Host: a\r\nAuthorization: Bearer operators\r\n';
const CLOSE = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('A listener', () => {
  it.each<[string, number, string]>([
    ['of HTTP/1.1 without Host', 400, 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['with two Hosts', 400, 'GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'],
    ['with an unknown method', 400, 'FOO /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['to a proxy', 400, 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with a target of 40,000 bytes', 400, `GET /u/${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['with headers of 40,000 bytes', 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['with an unknown expectation', 417, `POST /units HTTP/1.1\r\n${AUTHORIZED}Expect: tea\r\n\r\n`],
    [
      'with a length and chunks',
      400,
      `POST /units HTTP/1.1\r\n${AUTHORIZED}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'with two lengths',
      400,
      `POST /units HTTP/1.1\r\n${AUTHORIZED}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    [
      'with a chunk without a size',
      400,
      `POST /units HTTP/1.1\r\n${AUTHORIZED}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ],
    ['with a space before a colon', 400, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['of TLS', 400, '\x16\x03\x01\x02\x00\x01\x00'],
  ])(
    'answers a request %s with a problem document of status %d, and closes the connection',
    async (_, status, text) => {
      const { url } = await startListener();
      const responses = await sendRaw(url, text);
      expect(responses).toHaveLength(1);
      expect(responses[0]?.status).toBe(status);
      expect(responses[0]?.headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.parse(responses[0]?.body ?? '')).toMatchObject({ code: 'bad_request', status });
    },
  );

  it.each([
    ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n'],
    ['a whole URL', `GET http://a/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`],
    [
      'an upgrade, which it ignores',
      'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('answers %s', async (_, text) => {
    const { url } = await startListener();
    expect(await sendRaw(url, text)).toMatchObject([{ status: 200 }]);
  });

  it('survives a client that resets the connection after CONNECT', async () => {
    const { url } = await startListener();
    const resets = Array.from({ length: 50 }, async () => {
      const socket = await openConnection(url);
      socket.write('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n');
      // The answer finds the connection reset.
      socket.resetAndDestroy();
    });
    await Promise.all(resets);
    expect(await sendRaw(url, CLOSE)).toMatchObject([{ status: 200 }]);
  });

  it('answers a request before what is malformed after it', async () => {
    const { url, origin, answerAll } = await startListener();
    const target = targetFor(`${origin.url}/a.jpg`);
    const responses = sendRaw(url, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n\0garbage\r\n\r\n`);
    await until(() => origin.requests.length === 1);
    answerAll();
    expect(await responses).toMatchObject([{ status: 200 }, { status: 400 }]);
  });

  it('asks for a body only when the requests before it are answered', async () => {
    const { url, origin, answerAll } = await startListener();
    const target = targetFor(`${origin.url}/a.jpg`);
    const post = `POST /units HTTP/1.1\r\n${AUTHORIZED}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`;
    const get = `GET ${target} HTTP/1.1\r\nHost: a\r\n`;
    const socket = await openConnection(url);
    socket.write(`${get}\r\n${post}`);
    await until(() => origin.requests.length === 1);
    answerAll();
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      received += chunk;
    });
    await until(() => received.includes(' 100 Continue'));
    // An answer whose body is bytes: it was these that a late 100 went into.
    socket.write(`{}\n${get}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`);
    await once(socket, 'close');
    expect(parseResponses(received).map(({ status }) => status)).toEqual([200, 100, 400, 200]);
  });

  it('asks nobody for a body whom it answers without', async () => {
    const { url } = await startListener();
    const responses = await sendRaw(
      url,
      `GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n${CLOSE}`,
    );
    expect(responses[0]).toMatchObject({ status: 200 });
  });
});
