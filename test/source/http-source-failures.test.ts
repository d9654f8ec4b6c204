import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, expect, it } from 'vitest';
import {
  failure,
  fetcherAt,
  fetchFrom,
  listen,
  openSource,
  serve,
  serveBytes,
  serveTcp,
} from '../support/source/loopback.ts';
import { selfSigned } from '../support/source/self-signed.ts';

describe('the timeout of an HTTP source', () => {
  const timeout = { code: 'source_timeout', retryable: true };

  it('ends a fetch and closes its connection while the response, its head or its body is incomplete', async () => {
    const responses = ['', 'HTTP/1.1 200 OK\r\nContent-', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'];
    for (const response of responses) {
      const server = await serveTcp((socket) => socket.resume().write(response));
      expect(await failure(fetcherAt(server.port, { timeoutMs: 150 })())).toMatchObject(timeout);
      const [socket] = server.connections;
      if (socket && !socket.closed) await once(socket, 'close');
    }
  });

  it('ends a fetch that waits for DNS', async () => {
    const error = await failure(
      openSource({ timeoutMs: 100, resolve: () => {} }).fetch('http://images.test/'),
    );
    expect(error).toMatchObject(timeout);
  });

  it('ends all of many concurrent fetches from a host that does not respond', async () => {
    const server = await serve(() => {});
    const fetch = fetcherAt(server.port, { timeoutMs: 300 });
    const errors = await Promise.all(Array.from({ length: 20 }, () => failure(fetch())));
    expect(errors.map(({ code }) => code)).toEqual(Array(20).fill('source_timeout'));
  });

  it('ends a fetch during the TLS handshake', async () => {
    const server = await serveTcp(() => {});
    const error = await failure(openSource({ timeoutMs: 100 }).fetch(`https://images.test:${server.port}/`));
    expect(error).toMatchObject(timeout);
  });

  it('covers all hops together', async () => {
    const handler: RequestListener = (_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/a.jpg' }).end(), 100);
    };
    expect(await failure(fetchFrom(handler, { timeoutMs: 250, maxRedirects: 100 }))).toMatchObject(timeout);
  });

  it('ends a fetch whose body arrives slowly but steadily', async () => {
    const handler: RequestListener = (_request, response) => {
      const drip = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(drip));
    };
    expect(await failure(fetchFrom(handler, { timeoutMs: 200 }))).toMatchObject(timeout);
  });
});

describe('the error of a failed connection', () => {
  const unavailable = { code: 'source_unavailable', retryable: true };
  const secretPath = '/path-secret?token=query-secret';

  async function expectFailure(url: string, text: string): Promise<void> {
    const error = await failure(openSource().fetch(url));
    expect(error).toMatchObject(unavailable);
    expect(error.message).toContain(text);
    expect(error.message).toContain(new URL(url).hostname);
    expect(error.message).not.toMatch(/secret|127\.0\.0\.1|::1/);
    expect(error.cause).toBeInstanceOf(Error);
  }

  it('names DNS for a host that does not exist', async () => {
    await expectFailure(`http://nowhere.test${secretPath}`, 'DNS: ENOTFOUND');
  });

  it('is source_unavailable for a host without an address', async () => {
    const source = openSource({ resolve: (_hostname, _options, callback) => callback(null, []) });
    expect(await failure(source.fetch('http://images.test/'))).toMatchObject(unavailable);
  });

  it('names the refused connection for a closed port', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    await expectFailure(`http://images.test:${port}${secretPath}`, 'connection: refused');
  });

  it('names the connection if it is reset or closed without a response', async () => {
    const reset = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await expectFailure(`http://images.test:${reset.port}${secretPath}`, 'connection: ');
    const closing = await serveTcp((socket) => socket.end());
    await expectFailure(`http://images.test:${closing.port}${secretPath}`, 'connection: ');
  });

  it('names TLS for a server that does not speak it', async () => {
    const server = await serveTcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
    );
    await expectFailure(`https://images.test:${server.port}${secretPath}`, 'TLS: ');
  });

  it('names TLS for a self-signed certificate, and sends no request', async () => {
    let requests = 0;
    const server = await listen(
      createTlsServer(selfSigned(), (_request, response) => {
        requests++;
        response.end('bytes');
      }),
      '127.0.0.1',
      0,
    );
    await expectFailure(
      `https://images.test:${server.port}${secretPath}`,
      'TLS: DEPTH_ZERO_SELF_SIGNED_CERT',
    );
    expect(requests).toBe(0);
  });

  it.each([
    ['that is shorter than declared', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['without its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
    ['with a broken chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'],
  ])('returns no part of a body %s', async (_what, response) => {
    const { port } = await serveBytes(response);
    expect(await failure(fetcherAt(port)())).toMatchObject(unavailable);
  });
});
