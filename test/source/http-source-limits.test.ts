import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failure, fetchFrom } from '../support/source/loopback.ts';

describe('the limit on bytes', () => {
  const maxBytes = 100_000;

  it('lets through exactly so many and not one more', async () => {
    const send = (length: number, chunked: boolean): RequestListener => {
      return (_request, response) => {
        if (chunked) response.flushHeaders();
        response.end(Buffer.alloc(length));
      };
    };
    for (const chunked of [false, true]) {
      expect(await fetchFrom(send(maxBytes, chunked), { maxBytes })).toHaveLength(maxBytes);
      const error = await failure(fetchFrom(send(maxBytes + 1, chunked), { maxBytes }));
      expect(error).toMatchObject({ code: 'source_too_large', retryable: false });
    }
  });

  it('refuses a length that is announced without waiting for the body, and hangs up', async () => {
    let closed: Promise<unknown> | undefined;
    const error = await failure(
      fetchFrom(
        (_request, response) => {
          closed = once(response, 'close');
          response.writeHead(200, { 'content-length': maxBytes + 1 }).flushHeaders();
        },
        { maxBytes },
      ),
    );
    expect(error.code).toBe('source_too_large');
    await closed;
  });

  it('hangs up on a body without an end', async () => {
    let closed: Promise<unknown> | undefined;
    const error = await failure(
      fetchFrom(
        (_request, response) => {
          closed = once(response, 'close');
          const pour = () => {
            while (!response.destroyed && response.write(Buffer.alloc(16_384)));
          };
          response.on('drain', pour);
          pour();
        },
        { maxBytes },
      ),
    );
    expect(error.code).toBe('source_too_large');
    await closed;
  });
});

describe('a Content-Encoding that was not asked for', () => {
  const image = Buffer.from('an image, an image, an image, an image');
  const send = (encoding: string, body: Buffer): RequestListener => {
    return (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
  };

  it.each([
    ['gzip', gzipSync(image)],
    ['x-gzip', gzipSync(image)],
    ['GZIP', gzipSync(image)],
    ['deflate', deflateSync(image)],
    ['br', brotliCompressSync(image)],
    ['identity', image],
    ['', image],
  ])('of %j is taken off', async (encoding, body) => {
    expect(Buffer.from(await fetchFrom(send(encoding, body)))).toEqual(image);
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(5_000_000))],
    ['deflate', deflateSync(Buffer.alloc(5_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(5_000_000))],
  ])('of %s is no way to send more than the limit', async (encoding, bomb) => {
    expect(bomb.length).toBeLessThan(100_000);
    const error = await failure(fetchFrom(send(encoding, bomb), { maxBytes: 100_000 }));
    expect(error.code).toBe('source_too_large');
  });

  it('counts what is sent as well, for gzip that unpacks to nothing without an end', async () => {
    const nothing = Buffer.concat(Array.from({ length: 5_000 }, () => gzipSync('')));
    const handler: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).flushHeaders();
      response.end(nothing);
    };
    expect((await failure(fetchFrom(handler, { maxBytes: 50_000 }))).code).toBe('source_too_large');
  });

  it.each([
    ['gzip', gzipSync(image).subarray(0, 30)],
    ['gzip', Buffer.from('not gzip at all')],
    ['deflate', deflateSync(image).subarray(0, 10)],
    ['br', brotliCompressSync(image).subarray(0, 10)],
    ['br', Buffer.from('not brotli at all')],
  ])(
    'of %s over bytes that are not makes the source unavailable, some other time perhaps not',
    async (encoding, body) => {
      const error = await failure(fetchFrom(send(encoding, body)));
      expect(error).toMatchObject({ code: 'source_unavailable', retryable: true });
      expect(error.message).toContain('Content-Encoding');
    },
  );

  it.each(['zstd', 'compress', 'gzip, gzip', 'gzip, br', 'nonsense'])(
    'of %s makes it unavailable',
    async (encoding) => {
      const error = await failure(fetchFrom(send(encoding, image)));
      expect(error).toMatchObject({ code: 'source_unavailable', retryable: false });
    },
  );
});
