import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllowPattern } from '../../src/source/allowlist.ts';
import { createS3Source } from '../../src/source/s3-source.ts';
import type { SourceFetcher } from '../../src/source/source.ts';
import { openSource, serve } from '../support/source/loopback.ts';

/** Each opens a source, and returns it with the URL of an object there. */
const SOURCES = {
  'an HTTP source': (port: number): [SourceFetcher, string] => [
    openSource(),
    `http://127.0.0.1:${port}/a.jpg`,
  ],
  'an S3 source': (port: number): [SourceFetcher, string] => {
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    onTestFinished(() => client.destroy());
    const allow = [parseAllowPattern('s3://photos/*')];
    return [createS3Source({ client, allow, maxBytes: 1000, timeoutMs: 10_000 }), 's3://photos/a.jpg'];
  },
};

/** Answers with half of a body, or not at all. */
const ANSWERS: Readonly<Record<string, RequestListener>> = {
  'before the response': () => {},
  'within the body': (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('half'),
};

describe.each(Object.keys(SOURCES) as (keyof typeof SOURCES)[])('%s whose fetch is aborted', (name) => {
  it.each(Object.keys(ANSWERS))('%s ends the connection, and rejects with the reason', async (when) => {
    let onRequest: (response: ServerResponse) => void = () => {};
    const requested = new Promise<ServerResponse>((resolve) => {
      onRequest = resolve;
    });
    const server = await serve((request, response) => {
      ANSWERS[when]?.(request, response);
      onRequest(response);
    });
    const [source, src] = SOURCES[name](server.port);
    const controller = new AbortController();
    const reason = new Error('nobody waits');
    const fetching = source.fetch(src, controller.signal);
    const closed = once(await requested, 'close');
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
    await closed;
  });

  it('before it began sends no request', async () => {
    const server = await serve((_request, response) => response.end());
    const [source, src] = SOURCES[name](server.port);
    const reason = new Error('nobody waits');
    await expect(source.fetch(src, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.connections).toHaveLength(0);
  });
});
