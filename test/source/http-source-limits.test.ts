import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failure, fetchFrom } from '../support/source/loopback.ts';

describe('the byte limit of an HTTP source', () => {
  const maxBytes = 100_000;

  it('accepts a body of exactly the limit, and rejects one more byte', async () => {
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

  it('rejects a declared length over the limit without waiting for the body, and closes the connection', async () => {
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

  it('closes the connection of an endless body', async () => {
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

describe('an HTTP source, given a Content-Encoding that it did not request', () => {
  const image = Buffer.from('an image, an image, an image, an image');
  const send = (encoding: string, body: Buffer): RequestListener => {
    return (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
  };

  it.each([
    ['gzip', gzipSync(image)],
    ['x-gzip', gzipSync(image)],
    ['GZIP', gzipSync(image)],
    ['deflate', deflateSync(image)],
    ['deflate', deflateRawSync(image)],
    ['br', brotliCompressSync(image)],
    ['gzip, gzip', gzipSync(gzipSync(image))],
    ['br, identity, gzip', gzipSync(brotliCompressSync(image))],
    ['aws-chunked,gzip', gzipSync(image)],
    ['identity', image],
    ['identity, identity', image],
    ['', image],
  ])('decodes a body with Content-Encoding %j', async (encoding, body) => {
    expect(Buffer.from(await fetchFrom(send(encoding, body)))).toEqual(image);
  });

  // A header with all that it may have: extra data, a name and a comment. zlib writes none of them here.
  const decorated = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4 + 8 + 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3]),
    Buffer.from('a.jpg\0a comment\0'),
    gzipSync(image).subarray(10),
  ]);
  const twoMembers = Buffer.concat([gzipSync(image.subarray(0, 9)), gzipSync(image.subarray(9))]);

  it.each([
    ['gzip', gzipSync(image)],
    ['gzip', decorated],
    ['deflate', deflateSync(image)],
    ['br', brotliCompressSync(image)],
  ])('ignores what follows the end of a body with Content-Encoding %s', async (encoding, body) => {
    for (const more of ['', '\n', '\r\n', '\0\0', '<!-- page made in 0.1 s -->', '\x1f\x8bnot gzip']) {
      const sent = Buffer.concat([body, Buffer.from(more, 'latin1')]);
      expect(Buffer.from(await fetchFrom(send(encoding, sent))), JSON.stringify(more)).toEqual(image);
    }
  });

  it('decodes gzip of several members', async () => {
    expect(Buffer.from(await fetchFrom(send('gzip', twoMembers)))).toEqual(image);
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(5_000_000))],
    ['gzip', Buffer.concat([gzipSync(Buffer.alloc(5_000_000)), Buffer.from('\n')])],
    ['deflate', deflateSync(Buffer.alloc(5_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(5_000_000))],
  ])('rejects a decompression bomb with Content-Encoding %s', async (encoding, bomb) => {
    expect(bomb.length).toBeLessThan(100_000);
    const error = await failure(fetchFrom(send(encoding, bomb), { maxBytes: 100_000 }));
    expect(error.code).toBe('source_too_large');
  });

  it('also limits the encoded bytes, as of endless gzip that decodes to nothing', async () => {
    const nothing = Buffer.concat(Array.from({ length: 5_000 }, () => gzipSync('')));
    const handler: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).flushHeaders();
      response.end(nothing);
    };
    expect((await failure(fetchFrom(handler, { maxBytes: 50_000 }))).code).toBe('source_too_large');
  });

  it.each([
    ['truncated gzip', 'gzip', gzipSync(image).subarray(0, 30)],
    ['gzip without its check sum', 'gzip', gzipSync(image).subarray(0, -8)],
    ['gzip with a wrong check sum', 'gzip', withWrongSum(gzipSync(image))],
    ['gzip with a wrong check sum and more', 'gzip', Buffer.concat([withWrongSum(gzipSync(image)), image])],
    ['gzip with a name that does not end', 'gzip', Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 65, 66])],
    ['gzip that is something else', 'gzip', Buffer.from('not gzip at all')],
    ['truncated deflate', 'deflate', deflateSync(image).subarray(0, 10)],
    ['truncated brotli', 'br', brotliCompressSync(image).subarray(0, 10)],
    ['brotli that is something else', 'br', Buffer.from('not brotli at all')],
  ])('throws a retryable source_unavailable for %s', async (_what, encoding, body) => {
    const error = await failure(fetchFrom(send(encoding, body)));
    expect(error).toMatchObject({ code: 'source_unavailable', retryable: true });
    expect(error.message).toContain('Content-Encoding');
  });

  it.each([
    'base64',
    'utf-8',
    'binary',
    'none',
    '8bit',
    'aws-chunked',
    'compress',
    'gzip, nonsense',
    'image/jpeg',
  ])('takes a body as it is if the Content-Encoding is %j, which is not a known coding', async (encoding) => {
    expect(Buffer.from(await fetchFrom(send(encoding, image)))).toEqual(image);
  });

  it('decodes four codings at most', async () => {
    const times = (count: number) => Array(count).fill('gzip').join(', ');
    const four = gzipSync(gzipSync(gzipSync(gzipSync(image))));
    expect(Buffer.from(await fetchFrom(send(times(4), four)))).toEqual(image);
    expect(Buffer.from(await fetchFrom(send(times(5), gzipSync(four))))).toEqual(gzipSync(four));
  });
});

/** Returns a copy of a gzip file whose check sum, the first of its last eight bytes, is another one. */
function withWrongSum(gzip: Buffer): Buffer {
  const copy = Buffer.from(gzip);
  copy.writeUInt8(gzip.readUInt8(gzip.length - 8) ^ 0xff, gzip.length - 8);
  return copy;
}
