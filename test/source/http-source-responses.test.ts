import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/source/http-response.ts';
import {
  failure,
  fetcherAt,
  fetchFrom,
  namesAt,
  serve,
  serveBytes,
  serveTcp,
} from '../support/source/loopback.ts';

describe('an HTTP source, given a redirect', () => {
  it.each([301, 302, 303, 307, 308])(
    'follows status %i to a Location relative to the redirecting URL',
    async (status) => {
      const bytes = await fetchFrom((request, response) => {
        if (request.url === '/dir/c.jpg?x=1') response.end('bytes');
        else if (request.url === '/dir/b.jpg') response.writeHead(status, { location: 'c.jpg?x=1' }).end();
        else response.writeHead(status, { location: '/dir/b.jpg' }).end('moved');
      });
      expect(Buffer.from(bytes).toString()).toBe('bytes');
    },
  );

  it('follows a redirect to another host', async () => {
    const target = await serve((_request, response) => response.end('bytes'));
    const bytes = await fetchFrom((_request, response) => {
      response.writeHead(302, { location: `//other.test:${target.port}/` }).end();
    });
    expect(Buffer.from(bytes).toString()).toBe('bytes');
  });

  it.each([
    ['by default', 10, undefined],
    ['with maxRedirects 0', 0, 0],
    ['with maxRedirects 2', 2, 2],
  ])('follows, %s, %i redirects and not one more', async (_setting, times, maxRedirects) => {
    const options = maxRedirects === undefined ? {} : { maxRedirects };
    const hops = (count: number): RequestListener => {
      return (request, response) => {
        const hop = Number(request.url?.slice(2)) || 0;
        if (hop === count) response.end('bytes');
        else response.writeHead(302, { location: `/h${hop + 1}` }).end();
      };
    };
    expect(await fetchFrom(hops(times), options)).toHaveLength(5);
    expect(await failure(fetchFrom(hops(times + 1), options))).toMatchObject({
      code: 'source_unavailable',
      retryable: false,
    });
  });

  it.each([
    '',
    undefined,
    'http://[',
    '//',
    'http://',
    'http://a b/',
    'http://images..test/',
    'http://x:99999/',
  ])('throws source_unavailable for a Location of %j', async (location) => {
    const headers = location === undefined ? {} : { location };
    const error = await failure(fetchFrom((_request, response) => response.writeHead(302, headers).end()));
    expect(error).toMatchObject({ code: 'source_unavailable', retryable: false });
  });

  it.each(['http://[', '/c', 'http://images.test/b'])(
    'throws source_unavailable for a redirect to /b and %s at once, and follows neither',
    async (other) => {
      const server = await serveBytes(
        `HTTP/1.1 302 F\r\nLocation: /b\r\nLocation: ${other}\r\nContent-Length: 0\r\n\r\n`,
      );
      const error = await failure(fetcherAt(server.port)());
      expect(error).toMatchObject({ code: 'source_unavailable', retryable: false });
      expect(error.message).toContain('several Locations');
      expect(server.connections).toHaveLength(1);
    },
  );

  it('follows a redirect that has the same Location twice', async () => {
    const paths: (string | undefined)[] = [];
    const bytes = await fetchFrom((request, response) => {
      paths.push(request.url);
      if (request.url === '/b.jpg') response.end('bytes');
      else response.writeHead(302, ['Location', '/b.jpg', 'Location', '/b.jpg']).end();
    });
    expect(bytes).toHaveLength(5);
    expect(paths).toEqual(['/a.jpg', '/b.jpg']);
  });

  it('does not wait for the body of a redirect, and closes its connection', async () => {
    let closed: Promise<unknown> | undefined;
    const bytes = await fetchFrom((request, response) => {
      if (request.url === '/b.jpg') {
        response.end('bytes');
        return;
      }
      closed = once(response, 'close');
      response.writeHead(302, { location: '/b.jpg' }).write('and here it stops');
    });
    expect(bytes).toHaveLength(5);
    await closed;
  });
});

describe('an HTTP source, given a Location that no URL may contain', () => {
  it.each([
    ['in a path', '/größe/写真.jpg', '/gr%C3%B6%C3%9Fe/%E5%86%99%E7%9C%9F.jpg'],
    ['in a query', '/a.jpg?name=größe', '/a.jpg?name=gr%C3%B6%C3%9Fe'],
    ['in bytes that are not UTF-8', Buffer.from('/gr\xf6\xdfe.jpg', 'latin1'), '/gr%F6%DFe.jpg'],
    ['with spaces', '/a b.jpg', '/a%20b.jpg'],
    ['encoded in part', '/ö%C3%B6.jpg', '/%C3%B6%C3%B6.jpg'],
  ])('asks for its bytes, percent-encoded: %s', async (_where, location, expected) => {
    const paths: string[] = [];
    const head = [
      Buffer.from('HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: '),
      Buffer.from(location),
    ];
    const server = await serveTcp((socket) =>
      socket.on('data', (data) => {
        paths.push(String(data).split(' ')[1] ?? '');
        if (paths.length === 1) socket.write(Buffer.concat([...head, Buffer.from('\r\n\r\n')]));
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes');
      }),
    );
    expect(await fetcherAt(server.port)()).toHaveLength(5);
    expect(paths).toEqual(['/a.jpg', expected]);
  });

  it('understands a host in raw UTF-8', async () => {
    const target = await serve((_request, response) => response.end('bytes'));
    const { port } = await serveBytes(
      `HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://bücher.test:${target.port}/\r\n\r\n`,
    );
    const resolve = namesAt({ 'images.test': ['127.0.0.1'], 'xn--bcher-kva.test': ['127.0.0.1'] });
    expect(await fetcherAt(port, { resolve })()).toHaveLength(5);
  });
});

describe('an HTTP source, given a redirect that sets a cookie', () => {
  const withCookie: RequestListener = (request, response) => {
    if (request.headers.cookie === 'seen=1; b=2') response.end('bytes');
    else
      response
        .writeHead(302, { location: request.url, 'set-cookie': ['seen=1; Path=/; HttpOnly', 'b=2'] })
        .end();
  };

  it('sends it back to the host that set it', async () => {
    expect(await fetchFrom(withCookie)).toHaveLength(5);
  });

  it('forgets it with the end of the fetch', async () => {
    const cookies: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      cookies.push(request.headers.cookie);
      withCookie(request, response);
    });
    const fetch = fetcherAt(server.port);
    await fetch();
    await fetch();
    expect(cookies).toEqual([undefined, 'seen=1; b=2', undefined, 'seen=1; b=2']);
  });

  it('does not send it to another host', async () => {
    let cookie: string | undefined = 'not asked';
    const other = await serve((request, response) => {
      cookie = request.headers.cookie;
      response.end('bytes');
    });
    await fetchFrom((_request, response) => {
      response
        .writeHead(302, { location: `http://other.test:${other.port}/`, 'set-cookie': 'secret=1' })
        .end();
    });
    expect(cookie).toBeUndefined();
  });

  it('sends the last of several values, none that was deleted, and no more than twenty', async () => {
    const seen: string[] = [];
    await fetchFrom((request, response) => {
      seen.push(request.headers.cookie ?? '');
      const cookies = ['a=1', 'a=2', 'gone=1', 'gone=', ...Array.from({ length: 30 }, (_, i) => `c${i}=1`)];
      if (seen.length < 2) response.writeHead(302, { location: '/', 'set-cookie': cookies }).end();
      else response.end('bytes');
    });
    expect(seen[1]).toMatch(/^a=2; c0=1; /);
    expect(seen[1]?.split('; ')).toHaveLength(20);
  });
});

describe('an HTTP source, given a status other than 200', () => {
  it.each([
    [201, undefined],
    [202, undefined],
    [203, undefined],
    [206, 'bytes 0-4/5'],
  ])('takes the body of status %i', async (status, range) => {
    const headers = range === undefined ? {} : { 'content-range': range };
    const bytes = await fetchFrom((_request, response) => response.writeHead(status, headers).end('bytes'));
    expect(Buffer.from(bytes).toString()).toBe('bytes');
  });

  it.each([
    'bytes 0-4/9',
    'bytes 1-5/5',
    'bytes 0-4/*',
    'bytes */5',
    'items 0-4/5',
    'bytes 0-4/5, bytes 0-4/5',
  ])('throws source_unavailable for a 206 with a Content-Range of %j', async (range) => {
    const send: RequestListener = (_request, response) => {
      response.writeHead(206, { 'content-range': range }).end('bytes');
    };
    expect(await failure(fetchFrom(send))).toMatchObject({ code: 'source_unavailable', retryable: false });
  });

  it.each([404, 410])(
    'throws source_not_found for status %i, with the path but not the query',
    async (status) => {
      const { port } = await serve((_request, response) => response.writeHead(status).end('sorry'));
      const error = await failure(fetcherAt(port)('/raw+space%20ö.png?token=secret'));
      expect(error).toMatchObject({ code: 'source_not_found', retryable: false });
      const where = `the source at images.test:${port} for /raw+space%20%C3%B6.png`;
      expect(error.message).toBe(
        `status ${status} from ${where} (\`+\` in src is a plus: write a space as %20)`,
      );
    },
  );

  it.each([
    [204, false],
    [205, false],
    [206, false],
    [226, false],
    [300, false],
    [304, false],
    [400, false],
    [401, false],
    [403, false],
    [406, false],
    [408, true],
    [425, true],
    [429, true],
    [451, false],
    [500, true],
    [502, true],
    [503, true],
    [599, true],
  ])('throws source_unavailable for status %i, with retryable %s', async (status, retryable) => {
    const error = await failure(fetchFrom((_request, response) => response.writeHead(status).end()));
    expect(error).toMatchObject({ code: 'source_unavailable', retryable });
    expect(error.message).toContain(`status ${status} from the source`);
  });

  it('throws without waiting for the body of an error, and closes the connection', async () => {
    let closed: Promise<unknown> | undefined;
    const error = await failure(
      fetchFrom((_request, response) => {
        closed = once(response, 'close');
        response.writeHead(404).write('and here it stops');
      }),
    );
    expect(error.code).toBe('source_not_found');
    await closed;
  });

  it('takes the Retry-After of a 429 or 503, but not of a 500', async () => {
    const answer = (status: number) =>
      failure(fetchFrom((_request, response) => response.writeHead(status, { 'retry-after': '120' }).end()));
    expect((await answer(429)).retryAfterSeconds).toBe(120);
    expect((await answer(503)).retryAfterSeconds).toBe(120);
    expect((await answer(500)).retryAfterSeconds).toBeUndefined();
  });

  it('takes five seconds for a 429 or 503 without a valid Retry-After', async () => {
    for (const status of [429, 503]) {
      const { retryAfterSeconds } = await failure(
        fetchFrom((_request, response) => response.writeHead(status, { 'retry-after': 'soon' }).end()),
      );
      expect(retryAfterSeconds).toBe(5);
    }
  });

  it.each([
    ['120', 120],
    ['0', 0],
    ['99999999999999999999', 86_400],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['Sun, 06 Nov 2094 08:00:00 GMT', 86_400],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    ['Sun, 99 Nov 1994 08:50:37 GMT', undefined],
    [undefined, undefined],
  ])('parses a Retry-After of %j as %j', (text, seconds) => {
    expect(parseRetryAfter(text, Date.parse('Sun, 06 Nov 1994 08:49:37 GMT'))).toBe(seconds);
  });
});
