import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EdgepressError } from '../../src/protocol/error.ts';
import { namesAt, openSource, serve, serveBytes, serveTcp } from '../support/source/loopback.ts';

const FETCH_CODES = [
  'source_forbidden',
  'source_not_found',
  'source_too_large',
  'source_unavailable',
  'source_timeout',
];

/** Returns 'bytes', or the code of the EdgepressError; any other outcome fails the test. */
async function outcome(fetched: Promise<Uint8Array>): Promise<string> {
  try {
    const bytes = await fetched;
    expect(bytes).toBeInstanceOf(Uint8Array);
    return 'bytes';
  } catch (error) {
    expect(error).toBeInstanceOf(EdgepressError);
    expect((error as EdgepressError).message.length).toBeLessThan(500);
    expect(FETCH_CODES).toContain((error as EdgepressError).code);
    return (error as EdgepressError).code;
  }
}

async function outcomeOf(response: string | Buffer): Promise<string> {
  const { port } = await serveBytes(response);
  return await outcome(openSource({ timeoutMs: 10_000 }).fetch(`http://images.test:${port}/`));
}

const redirectTo = (location: string) =>
  `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;

describe('an HTTP source, given a hostile server', () => {
  it.each([
    ['nothing', '', 'source_unavailable'],
    ['HTTP/0.9', 'just some words\n', 'source_unavailable'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'source_unavailable'],
    ['a status that is not a number', 'HTTP/1.1 abc OK\r\n\r\n', 'source_unavailable'],
    ['status 0', 'HTTP/1.1 000 OK\r\n\r\n', 'source_unavailable'],
    ['status 999', 'HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n', 'source_unavailable'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n', 'source_unavailable'],
    [
      'only informational responses',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(50),
      'source_unavailable',
    ],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', 'source_unavailable'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\ngarbage\r\n\r\n', 'bytes'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nA: \0\r\n\r\n', 'source_unavailable'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'source_unavailable',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab', 'source_unavailable'],
    [
      'a length that is not a number',
      'HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nab',
      'source_unavailable',
    ],
    [
      'a length too large for a number',
      `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nab`,
      'source_unavailable',
    ],
    [
      'a length too large for memory',
      'HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nab',
      'source_too_large',
    ],
    [
      'a chunk too large for memory',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na',
      'source_unavailable',
    ],
    ['too large a head', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(10_000)}\r\n`, 'source_unavailable'],
    ['too long a header', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(100_000)}\r\n\r\n`, 'source_unavailable'],
    [
      'headers named like properties of Object.prototype',
      'HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\nContent-Length: 0\r\n\r\n',
      'bytes',
    ],
    ['a redirect to itself', redirectTo('/'), 'source_unavailable'],
    ['a redirect to a file', redirectTo('file:///etc/passwd'), 'source_forbidden'],
    ['a redirect to no host', redirectTo('//'), 'source_unavailable'],
    ['a redirect to something that is not a URL', redirectTo('http://['), 'source_unavailable'],
    ['a redirect of ten kilobytes', redirectTo(`/${'a'.repeat(10_000)}`), 'source_unavailable'],
    [
      'a redirect to a host of ten kilobytes',
      redirectTo(`http://${'a'.repeat(10_000)}.test/`),
      'source_unavailable',
    ],
    ['a redirect to bytes that are not UTF-8', redirectTo('/\xff\xfe'), 'source_unavailable'],
  ])('returns bytes or throws an EdgepressError for a response of %s', async (_what, response, expected) => {
    expect(await outcomeOf(Buffer.from(response, 'latin1'))).toBe(expected);
  });

  it('throws source_unavailable for a redirect loop of two servers', async () => {
    let second = 0;
    const one = await serve((_request, response) => {
      response.writeHead(302, { location: `http://images.test:${second}/` }).end();
    });
    const two = await serve((_request, response) => {
      response.writeHead(302, { location: `http://images.test:${one.port}/` }).end();
    });
    second = two.port;
    expect(await outcome(openSource().fetch(`http://images.test:${one.port}/`))).toBe('source_unavailable');
  });

  it.each([
    ['headers', 'HTTP/1.1 200 OK\r\n', 'X-Flood: yes\r\n', 'source_unavailable'],
    ['one header', 'HTTP/1.1 200 OK\r\nX-Flood: ', 'y', 'source_unavailable'],
    ['a status line', 'HTTP/1.1 200 ', 'OK', 'source_timeout'],
    ['informational responses', '', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'source_timeout'],
    ['body', 'HTTP/1.1 200 OK\r\n\r\n', 'body', 'source_too_large'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n', 'source_too_large'],
    ['the length of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '0', 'source_timeout'],
    ['the body of a 404', 'HTTP/1.1 404 Gone\r\n\r\n', 'body', 'source_not_found'],
  ])('throws an EdgepressError for an endless flow of %s', async (_what, start, flood, expected) => {
    const { port } = await serveTcp((socket) => {
      socket.write(start);
      const chunk = flood.repeat(Math.ceil(4_096 / flood.length));
      const pour = () => {
        // In portions: writing without a pause would starve the event loop, and this test with it.
        if (!socket.destroyed && socket.write(chunk)) setImmediate(pour);
      };
      socket.on('drain', pour).once('data', pour);
    });
    const timeoutMs = expected === 'source_timeout' ? 700 : 10_000;
    const source = openSource({ timeoutMs, maxBytes: 100_000 });
    expect(await outcome(source.fetch(`http://images.test:${port}/`))).toBe(expected);
  });

  it('returns bytes or throws an EdgepressError for any mixture of status line, headers, body and end', {
    timeout: 30_000,
  }, async () => {
    let response = Buffer.alloc(0);
    let ending: 'end' | 'reset' = 'end';
    const { port } = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.write(response, () => (ending === 'end' ? socket.end() : socket.resetAndDestroy()));
      });
    });
    const names = { 'images.test': ['127.0.0.1'], 'inside.test': ['127.0.0.2'] };
    const source = openSource({
      timeoutMs: 1_000,
      maxBytes: 1_000,
      maxRedirects: 2,
      resolve: namesAt(names),
    });
    await fc.assert(
      fc.asyncProperty(
        responses(port),
        fc.constantFrom('end' as const, 'reset' as const),
        async (text, how) => {
          response = Buffer.from(text, 'latin1');
          ending = how;
          await outcome(source.fetch(`http://images.test:${port}/`));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Generates almost valid responses, which get further into a parser than noise. All of their addresses are on loopback. */
function responses(port: number): fc.Arbitrary<string> {
  const noise = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  });
  // No digits and no brackets, so that no random path is the address of another machine.
  const path = fc.string({ unit: fc.constantFrom(...'abcxyz:/\\?#@%. \t;') });
  const location = fc.oneof(
    path,
    fc.constantFrom(
      'http://[',
      '//',
      '?',
      'http://inside.test/',
      `http://127.0.0.1:${port}/`,
      `http://2130706433:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://127.0.0.2:${port}/`,
      'file:///etc/passwd',
      's3://bucket/key',
      `https://images.test:${port}/`,
    ),
  );
  const header = fc.oneof(
    location.map((value) => `Location: ${value}`),
    fc.constantFrom(
      'Content-Length: 5',
      'Content-Length: 5, 5',
      'Content-Length: 0x5',
      'Content-Length: 5000',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: gzip, chunked',
      'Content-Encoding: gzip',
      'Content-Encoding: br',
      'Content-Encoding: deflate',
      'Connection: close',
      'Connection: upgrade',
      'Keep-Alive: timeout=99999999999',
      'Retry-After: 9e99',
      'Upgrade: websocket',
      ' folded',
    ),
    noise,
  );
  const status = fc.oneof(
    fc
      .constantFrom(100, 101, 200, 204, 206, 301, 302, 304, 307, 404, 429, 500, 999)
      .map((code) => `HTTP/1.1 ${code} X`),
    fc.constantFrom('HTTP/1.0 200 OK', 'HTTP/1.1 200', 'HTTP/3 200 OK', 'ICY 200 OK'),
    noise,
  );
  const body = fc.oneof(
    noise,
    fc.constantFrom('', 'hello', '5\r\nhello\r\n0\r\n\r\n', '5\r\nhel', 'z'.repeat(2_000)),
  );
  return fc
    .tuple(status, fc.array(header, { maxLength: 4 }), body)
    .map(([line, headers, rest]) => `${[line, ...headers].join('\r\n')}\r\n\r\n${rest}`);
}
