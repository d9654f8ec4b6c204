import type { RequestListener } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllowPattern } from '../../src/source/allowlist.ts';
import { createS3Source, type S3SourceOptions } from '../../src/source/s3-source.ts';
import { serve } from '../support/source/loopback.ts';

type Options = Partial<Omit<S3SourceOptions, 'allow'>> & { allow?: string[] };

/** Opens a source whose S3 is this handler, for responses that a real S3 cannot be made to give. */
async function openAt(handler: RequestListener, { allow = ['s3://photos/*'], ...options }: Options = {}) {
  const server = await serve(handler);
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  const source = createS3Source({
    client,
    maxBytes: 1_000,
    timeoutMs: 5_000,
    ...options,
    allow: allow.map(parseAllowPattern),
  });
  return { fetch: (src: string) => source.fetch(src), server };
}

const errorResponse = (status: number, code: string): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>internal words</Message></Error>`);
  };
};

describe('an S3 source', () => {
  it('requests the key literally', async () => {
    let requested: string | undefined;
    const { fetch } = await openAt((request, response) => {
      requested = request.url;
      response.end('bytes');
    });
    expect(Buffer.from(await fetch('s3://photos/a b/%20?c#d+ü.jpg')).toString()).toBe('bytes');
    expect(requested).toBe('/photos/a%20b/%2520%3Fc%23d%2B%C3%BC.jpg?x-id=GetObject');
  });

  it.each([
    's3://other/a.jpg',
    's3://Photos/a.jpg',
    's3://photos.evil/a.jpg',
    's3://photos/../other/a.jpg',
    's3://photos/a/../../other/b.jpg',
    's3://photos/./a.jpg',
  ])('refuses %s, which no pattern allows, without a request', async (src) => {
    const { fetch, server } = await openAt((_request, response) => response.end('bytes'));
    await expect(fetch(src)).rejects.toMatchObject({ code: 'source_forbidden' });
    expect(server.connections).toHaveLength(0);
  });

  it('refuses every object if there is no pattern', async () => {
    const { fetch } = await openAt((_request, response) => response.end('bytes'), { allow: [] });
    await expect(fetch('s3://photos/a.jpg')).rejects.toMatchObject({ code: 'source_forbidden' });
  });

  it.each([
    's3:photos/a.jpg',
    's3://photos',
    's3://photos/',
    's3:///a.jpg',
    's3://arn:aws:s3:us-east-1:1:accesspoint/a.jpg',
    's3://user@photos/a.jpg',
    's3://photos:80/a.jpg',
    's3://photos?/a.jpg',
    's3://photos/\ud800.jpg',
    'https://photos/a.jpg',
  ])('rejects %j with a bad_request that names src', async (src) => {
    const { fetch, server } = await openAt((_request, response) => response.end('bytes'), {
      allow: ['s3://*/*'],
    });
    await expect(fetch(src)).rejects.toMatchObject({ code: 'bad_request', parameter: 'src' });
    expect(server.connections).toHaveLength(0);
  });

  it.each([
    [404, 'NoSuchKey', 'source_not_found', false],
    [404, 'NoSuchBucket', 'source_not_found', false],
    [403, 'AccessDenied', 'source_unavailable', false],
    [403, 'SignatureDoesNotMatch', 'source_unavailable', false],
    [301, 'PermanentRedirect', 'source_unavailable', false],
    [400, 'KeyTooLongError', 'source_unavailable', false],
    [429, 'TooManyRequests', 'source_unavailable', true],
    [500, 'InternalError', 'source_unavailable', true],
    [503, 'SlowDown', 'source_unavailable', true],
  ])('converts status %i %s to %s, with retryable %s', async (status, code, expected, retryable) => {
    const { fetch } = await openAt(errorResponse(status, code));
    const failed = fetch('s3://photos/secret.jpg');
    await expect(failed).rejects.toMatchObject({ name: 'EdgepressError', code: expected, retryable });
    await expect(failed).rejects.toThrow('s3://photos');
    await expect(failed).rejects.not.toThrow(/internal words|secret/);
  });

  it('accepts an object of exactly the limit, and rejects one more byte, declared or not', async () => {
    const sized = (length: number, isDeclared: boolean): RequestListener => {
      return (_request, response) => {
        if (!isDeclared) response.flushHeaders();
        response.end(Buffer.alloc(length));
      };
    };
    for (const isDeclared of [true, false]) {
      const exact = await openAt(sized(1_000, isDeclared));
      expect(await exact.fetch('s3://photos/a.jpg')).toHaveLength(1_000);
      const over = await openAt(sized(1_001, isDeclared));
      await expect(over.fetch('s3://photos/a.jpg')).rejects.toMatchObject({ code: 'source_too_large' });
    }
  });

  it('rejects a declared length over the limit without waiting for the body', async () => {
    const { fetch } = await openAt((_request, response) => {
      response.writeHead(200, { 'content-length': 1_001 }).flushHeaders();
    });
    await expect(fetch('s3://photos/a.jpg')).rejects.toMatchObject({ code: 'source_too_large' });
  });

  it('throws source_unavailable for a truncated body', async () => {
    const { fetch } = await openAt((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    await expect(fetch('s3://photos/a.jpg')).rejects.toMatchObject({
      code: 'source_unavailable',
      retryable: true,
    });
  });

  it.each([
    ['a response', (() => {}) as RequestListener],
    [
      'the rest of a body',
      ((_request, response) => void response.writeHead(200).write('half')) as RequestListener,
    ],
  ])('throws source_timeout if it waits too long for %s', async (_what, handler) => {
    const { fetch } = await openAt(handler, { timeoutMs: 150 });
    await expect(fetch('s3://photos/a.jpg')).rejects.toMatchObject({
      code: 'source_timeout',
      retryable: true,
    });
  });

  it.each(['aws-chunked', 'aws-chunked,identity', 'base64', 'utf-8', 'none'])(
    'takes an object as it is whose metadata say the Content-Encoding %s',
    async (encoding) => {
      const { fetch } = await openAt((_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end('bytes');
      });
      expect(await fetch('s3://photos/a.jpg')).toHaveLength(5);
    },
  );
});
