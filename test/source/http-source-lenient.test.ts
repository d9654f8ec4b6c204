import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { failure, fetcherAt, serveBytes, serveTcp } from '../support/source/loopback.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const LENGTH = 'Content-Length: 5\r\n';

describe('an HTTP source, given an answer that is not HTTP by the letter', () => {
  it.each([
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nbytes'],
    ['bare line feeds and chunks', `HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nbytes\n0\n\n`],
    ['a folded header', `${OK}X-Long: a\r\n b\r\n\tc\r\n${LENGTH}\r\nbytes`],
    ['a space before a colon', `${OK}X-Odd : 1\r\n${LENGTH}\r\nbytes`],
    ['a space before the colon of the length', `${OK}Content-Length : 5\r\n\r\nbytes`],
    ['spaces after the size of a chunk', `${OK}${CHUNKED}\r\n5  \r\nbytes\r\n0\r\n\r\n`],
    ['Transfer-Encoding: identity and a length', `${OK}Transfer-Encoding: identity\r\n${LENGTH}\r\nbytes`],
    ['the same length twice', `${OK}${LENGTH}${LENGTH}\r\nbytes`],
    ['the same length twice in one header', `${OK}Content-Length: 5, 5\r\n\r\nbytes`],
    ['a length beside chunks', `${OK}${LENGTH}${CHUNKED}\r\n5\r\nbytes\r\n0\r\n\r\n`],
    ['a wrong length beside chunks', `${OK}Content-Length: 99\r\n${CHUNKED}\r\n5\r\nbytes\r\n0\r\n\r\n`],
    ['a control character in a header', `${OK}X-Odd: a\u0001b\r\n${LENGTH}\r\nbytes`],
    ['a header name in UTF-8', `${OK}X-Größe: 1\r\n${LENGTH}\r\nbytes`],
    [
      'headers with the names of properties',
      `${OK}constructor: 1\r\n__proto__ : 2\r\ntoString: 3\r\n${LENGTH}\r\nbytes`,
    ],
    ['a line that is no header', `${OK}no colon here\r\n${LENGTH}\r\nbytes`],
    ['an informational answer first', `HTTP/1.1 100 Continue\r\n\r\n${OK}${LENGTH}\r\nbytes`],
    ['a protocol in lower case', `http/1.1 200 ok\r\n${LENGTH}\r\nbytes`],
    ['a status without a reason', `HTTP/1.1 200\r\n${LENGTH}\r\nbytes`],
    ['version 1.2', `HTTP/1.2 200 OK\r\n${LENGTH}\r\nbytes`],
    ['more bytes than its length', `${OK}${LENGTH}\r\nbytes and more`],
    ['no length', 'HTTP/1.0 200 OK\n\nbytes'],
    ['a length without a value', `${OK}Content-Length:\r\n\r\nbytes`],
  ])('takes the image in spite of %s', async (_what, response) => {
    const { port } = await serveBytes(response);
    expect(Buffer.from(await fetcherAt(port)()).toString()).toBe('bytes');
  });

  it.each([
    ['two lengths that differ', `${OK}${LENGTH}Content-Length: 3\r\n\r\nbytes`, 'two different values'],
    ['a length that is not a number', `${OK}Content-Length: five\r\n\r\nbytes`, 'not a number'],
    ['a NUL in a header', `${OK}X-Odd: a\0b\r\n${LENGTH}\r\nbytes`, 'a NUL'],
    ['a broken chunk', `${OK}${CHUNKED}\r\n5\r\nbytes\r\nzz\r\n`, 'size of a chunk'],
    ['a chunk longer than its size', `${OK}${CHUNKED}\r\n3\r\nbytes\r\n0\r\n\r\n`, 'longer than its size'],
    ['no status line', 'ICY 200 OK\r\n\r\nbytes', 'status line'],
    ['a status below 100', `HTTP/1.1 099 Odd\r\n${LENGTH}\r\nbytes`, 'status line'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\nbytes', 'status line'],
  ])('says what is not valid HTTP: %s', async (_what, response, reason) => {
    const { port } = await serveBytes(response);
    const error = await failure(fetcherAt(port)());
    expect(error).toMatchObject({ code: 'source_unavailable', retryable: true });
    expect(error.message).toMatch(/^the answer of images\.test:\d+ is not valid HTTP: /);
    expect(error.message).toContain(reason);
  });

  it.each([
    ['is taken', `${OK}${LENGTH}${LENGTH}\r\nbytes`],
    ['has two lengths', `${OK}${LENGTH}Content-Length: 3\r\n\r\nbytes`],
    ['has no status line', 'ICY 200 OK\r\n\r\nbytes'],
    ['has a broken chunk', `${OK}${CHUNKED}\r\nzz\r\n`],
  ])(
    'closes the connection of an answer that %s, although the server keeps it open',
    async (_what, answer) => {
      const server = await serveTcp((socket) => socket.on('data', () => socket.write(answer)));
      await fetcherAt(server.port)().catch(() => {});
      const closed = server.connections.map((socket) => socket.closed || once(socket, 'close'));
      await Promise.all(closed);
      expect(server.connections).toHaveLength(2);
    },
  );

  it('never takes what follows such an answer for another one', async () => {
    const second = `${OK}Content-Length: 5\r\n\r\nother`;
    const server = await serveTcp((socket) =>
      socket.on('data', () => socket.write(`${OK}${LENGTH}${LENGTH}\r\nbytes${second}`)),
    );
    const fetch = fetcherAt(server.port);
    for (let time = 0; time < 3; time++) expect(Buffer.from(await fetch()).toString()).toBe('bytes');
  });
});

describe('an HTTP source, given a connection that ends before any answer', () => {
  /** Answers the first request of each connection, and closes the connection at the next, as a server does that had closed it before. */
  const onceEach = (answered: string[]) =>
    serveTcp((socket) => {
      let requests = 0;
      socket.on('data', (data) => {
        if (++requests > 1) {
          socket.destroy();
          return;
        }
        answered.push(String(data).split(' ')[1] ?? '');
        socket.write(`${OK}${LENGTH}\r\nbytes`);
      });
    });

  it('sends the request again over a new one', async () => {
    const answered: string[] = [];
    const server = await onceEach(answered);
    const fetch = fetcherAt(server.port);
    for (const path of ['/1', '/2', '/3', '/4', '/5']) expect(await fetch(path)).toHaveLength(5);
    expect(answered).toEqual(['/1', '/2', '/3', '/4', '/5']);
  });

  it('sends it once again and no more', async () => {
    let requests = 0;
    const server = await serveTcp((socket) =>
      socket.on('data', () => {
        requests++;
        socket.destroy();
      }),
    );
    const error = await failure(fetcherAt(server.port)());
    expect(error).toMatchObject({ code: 'source_unavailable', retryable: true });
    expect(error.message).toContain('closed before the response was complete');
    expect(requests).toBe(2);
  });

  it('does not send it again after a part of the answer', async () => {
    let requests = 0;
    const server = await serveTcp((socket) =>
      socket.on('data', () => {
        requests++;
        socket.end(`${OK}Content-Length: 9\r\n\r\nhalf`);
      }),
    );
    expect(await failure(fetcherAt(server.port)())).toMatchObject({ code: 'source_unavailable' });
    expect(requests).toBe(1);
  });
});
