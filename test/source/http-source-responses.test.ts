import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/source/http-response.ts';
import { failure, fetcherAt, fetchFrom, serve, serveBytes } from '../support/source/loopback.ts';

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
    ['by default', 5, undefined],
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

  it('throws source_unavailable for a redirect with two Location headers', async () => {
    const { port } = await serveBytes(
      'HTTP/1.1 302 F\r\nLocation: /b\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await failure(fetcherAt(port)())).toMatchObject({ code: 'source_unavailable', retryable: false });
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

describe('an HTTP source, given a status other than 200', () => {
  it.each([404, 410])('throws source_not_found for status %i', async (status) => {
    const error = await failure(fetchFrom((_request, response) => response.writeHead(status).end('sorry')));
    expect(error).toMatchObject({ code: 'source_not_found', retryable: false });
    expect(error.message).toMatch(new RegExp(`^status ${status} from the source at images\\.test:\\d+$`));
  });

  it.each([
    [201, false],
    [204, false],
    [206, false],
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
