import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { findFreePorts } from '../support/setup/daemons.ts';

const servers: Server[] = [];
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };

describe('the region of the S3 client', () => {
  const regionWith = async (environment: Record<string, string>, endpoint?: string): Promise<string> => {
    const none = {
      AWS_REGION: undefined,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
    for (const [name, value] of Object.entries({ ...none, ...environment })) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    return await createS3Client({ endpoint, credentials }).config.region();
  };

  test('is the configured one, with or without an endpoint', async () => {
    expect(await regionWith({ AWS_REGION: 'ap-south-1' })).toBe('ap-south-1');
    expect(await regionWith({ AWS_REGION: 'ap-south-1' }, 'http://127.0.0.1:1')).toBe('ap-south-1');
  });

  test('is us-east-1 for an endpoint when none is configured', async () => {
    expect(await regionWith({}, 'http://127.0.0.1:1')).toBe('us-east-1');
  });

  test('must be configured for Amazon S3', async () => {
    await expect(regionWith({})).rejects.toThrow('Region is missing');
  });
});

/* Servers with faults that no real one has on demand. The tests run concurrently, since most of them wait for a timeout. */
describe.concurrent('an S3 server', () => {
  afterAll(() => {
    for (const server of servers) server.close().closeAllConnections();
  });
  const head = { 'content-type': 'image/avif', etag: '"d41d8cd98f00b204e9800998ecf8427e"' };

  test('makes every operation fail, and not hang, when it does not exist', async () => {
    const [port] = await findFreePorts(1);
    await expectFault((store) => store.get('a'), `http://127.0.0.1:${port}`);
  });

  test.each<[string, (store: VariantStore) => Promise<unknown>]>([
    ['get', (store) => store.get('a')],
    ['head', (store) => store.head('a')],
    ['put', (store) => store.put('a', new Uint8Array(100_000), { contentType: 'image/avif' })],
    ['delete', (store) => store.delete(['a'])],
    ['list', (store) => store.list('a')[Symbol.asyncIterator]().next()],
  ])('makes the %s fail, and not hang, that it never answers', async (_, ask) => {
    await expectFault(ask, await endpointOf(() => undefined));
  });

  test('makes a get fail, and not hang, when it stops in the middle of a body', async () => {
    const endpoint = await endpointOf((_, response) => {
      response.writeHead(200, { ...head, 'content-length': 1000 }).write('some');
    });
    await expectFault((store) => store.get('a'), endpoint);
  });

  test('makes a get fail, and not hang, when it trickles a body', async () => {
    const endpoint = await endpointOf((_, response) => {
      response.writeHead(200, { ...head, 'content-length': 1_000_000 });
      const drip = setInterval(() => response.write('x'), 100);
      response.once('close', () => clearInterval(drip));
    });
    await expectFault((store) => store.get('a'), endpoint);
  });

  test('makes a get fail, and not return half an object, when it closes the connection in the middle of a body', async () => {
    const endpoint = await endpointOf((_, response) => {
      response.writeHead(200, { ...head, 'content-length': 1000 }).write('some', () => response.destroy());
    });
    await expectFault((store) => store.get('a'), endpoint);
  });

  test('is sent the request again when it answers SlowDown', async () => {
    let requests = 0;
    const endpoint = await endpointOf((_, response) => {
      requests += 1;
      if (requests < 3) response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      else response.writeHead(200, { ...head, 'content-length': 5 }).end('bytes');
    });
    const found = await createS3Store({ bucket: 'b', client: createS3Client({ endpoint, credentials }) }).get(
      'a',
    );
    expect(Buffer.from(found?.body ?? '').toString()).toBe('bytes');
  });

  test('receives the MD5 of a delete request', async () => {
    const md5s: { received: unknown; computed: string }[] = [];
    const endpoint = await endpointOf(async (request, response) => {
      const hash = createHash('md5');
      for await (const chunk of request) hash.update(chunk);
      md5s.push({ received: request.headers['content-md5'], computed: hash.digest('base64') });
      response.end('<DeleteResult/>');
    });
    const client = createS3Client({ endpoint, credentials });
    await createS3Store({ bucket: 'b', client }).delete(['a', 'b/c']);
    expect(md5s).toHaveLength(1);
    expect(md5s[0]?.received).toBe(md5s[0]?.computed);
  });

  test('may report an error for a key without an object, which then counts as deleted', async () => {
    const endpoint = await endpointOf((_, response) => {
      const error = '<Error><Key>a</Key><Code>NoSuchKey</Code></Error>';
      response.end(`<DeleteResult>${error}</DeleteResult>`);
    });
    const client = createS3Client({ endpoint, credentials });
    await expect(createS3Store({ bucket: 'b', client }).delete(['a'])).resolves.toBeUndefined();
  });

  test.each([
    ['has deleted the object', 204],
    ['has another object there', 412],
    ['has no object there', 404],
    ['is just storing another object there', 409],
  ])('makes a conditional delete succeed, which carries the ETag, when it %s', async (_name, status) => {
    const conditions: unknown[] = [];
    const endpoint = await endpointOf(({ method, headers }, response) => {
      conditions.push([method, headers['if-match']]);
      response.writeHead(status).end();
    });
    const client = createS3Client({ endpoint, credentials });
    await createS3Store({ bucket: 'b', client }).deleteIfMatch('a', '"0a1b"');
    expect(conditions).toEqual([['DELETE', '0a1b']]);
  });

  test('may refuse HEAD on the bucket, which then counts as existing when a key is missing', async () => {
    const endpoint = await endpointOf(({ url }, response) => {
      response.writeHead(url?.startsWith('/b/a') ? 404 : 403).end();
    });
    const store = createS3Store({ bucket: 'b', client: createS3Client({ endpoint, credentials }) });
    expect(await store.head('a')).toBeUndefined();
  });
});

/** Starts a server on 127.0.0.1 and returns its address. */
async function endpointOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A hang exceeds the time limit of the test. */
async function expectFault(ask: (store: VariantStore) => Promise<unknown>, endpoint: string): Promise<void> {
  const store = createS3Store({ bucket: 'b', client: createS3Client({ endpoint, credentials }) });
  await expect(ask(store)).rejects.toThrow();
}
