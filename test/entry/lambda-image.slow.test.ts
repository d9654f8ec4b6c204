import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import type { VariantName } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import { decodeMessage } from '../../src/queue/message.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { bmp } from '../support/bmp.ts';
import { startOrigin } from '../support/http/service.ts';
import {
  bootFunction,
  buildArtifact,
  createStoreEnvironment,
  forwardedTarget,
} from '../support/lambda/artifact.ts';
import { type FunctionUrlResult, functionUrlEvent } from '../support/lambda/function-url.ts';
import type { Lambda } from '../support/lambda/lambda.ts';
import { pageAsPdf, quartersOfPage } from '../support/pdf.ts';
import { coloursOf, photograph, QUARTERS } from '../support/pictures.ts';
import { createTestQueue } from '../support/queue/sqs.ts';
import { describeS3, s3Server } from '../support/store/bucket.ts';
import { startCountingProxy } from '../support/store/counting-proxy.ts';
import { startCollector } from '../support/telemetry/collector.ts';

describeS3('the image function on Lambda', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  /** @param bodies - what the origin sends at a path; at any other, a photograph */
  async function setUp(bodies: Record<string, Buffer> = {}, extraEnv: Record<string, string> = {}) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) => {
      if (request.url === '/gone.jpg') response.writeHead(404).end();
      else response.end(bodies[request.url ?? ''] ?? photo);
    });
    const store = await createStoreEnvironment();
    const env = { ...store.env, SOURCE_ALLOW_PRIVATE: origin.authority, ...extraEnv };
    const lambda = await bootFunction(artifact.folder, 'lambda-image', env);
    const request = (target: string, { method = 'GET', headers = {} } = {}) =>
      lambda.invoke<FunctionUrlResult>(functionUrlEvent(method, target, headers));
    const variant = (path: string, overrides: Partial<VariantName> = {}) => {
      const name: VariantName = {
        unit: 'unit-1',
        src: `${origin.url}${path}`,
        width: 320,
        tier: 'balanced',
        format: 'avif',
        ...overrides,
      };
      return { name, sent: `/u/${name.unit}?src=${encodeURIComponent(name.src)}&sig=k1.not-verified` };
    };
    return { ...store, env, origin, lambda, request, variant };
  }

  it('makes and stores a missing variant, and answers it without an ETag, which a CDN would revalidate', async () => {
    const { request, bucket, client, variant } = await setUp();
    const { name, sent } = variant("/it's (1).jpg");
    const first = await request(forwardedTarget(name, sent), { headers: { 'if-none-match': '"x"' } });
    expect(first).toMatchObject({
      statusCode: 200,
      isBase64Encoded: true,
      headers: {
        'content-type': 'image/avif',
        'cache-control': 'public, max-age=604800, s-maxage=60, stale-if-error=0',
        'cache-status': 'edgepress; fwd=miss; stored',
        'x-amz-meta-cache-tag': expect.stringMatching(/^u-[0-9a-f]{32},s-[0-9a-f]{32}$/),
        vary: 'Accept, Save-Data',
      },
    });
    expect(first.headers).not.toHaveProperty('etag');
    const body = Buffer.from(first.body, 'base64');
    expect(await sharp(body).metadata()).toMatchObject({ width: 320, compression: 'av1' });

    const { Contents: [object] = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(`/${object?.Key}`).toBe(forwardedTarget(name, sent).split('?')[0]);
    const stored = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: object?.Key }));
    expect(stored).toMatchObject({
      ContentLength: body.byteLength,
      CacheControl: 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
      Metadata: { 'cache-tag': first.headers['x-amz-meta-cache-tag'] },
    });
  });

  it('answers a stored variant without loading the encoder', async () => {
    const { request, env, lambda, origin, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    await request(forwardedTarget(name, sent));
    const second = await bootFunction(artifact.folder, 'lambda-image', env);
    const hit = await second.invoke<FunctionUrlResult>(functionUrlEvent('GET', forwardedTarget(name, sent)));
    expect(hit.headers).toMatchObject({
      'cache-status': 'edgepress; hit',
      'cache-control': 'public, max-age=604800, s-maxage=60, stale-if-error=0',
    });
    expect(hit.headers).not.toHaveProperty('etag');
    expect(origin.requests).toHaveLength(1);
    expect(await mappedFilesOf(lambda)).toMatch(/libvips/);
    expect(await mappedFilesOf(second)).not.toMatch(/libvips/);
  });

  it('answers HEAD with the length of the variant and without its body', async () => {
    const { request, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const head = await request(forwardedTarget(name, sent), { method: 'HEAD' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    const { body } = await request(forwardedTarget(name, sent));
    expect(head.headers['content-length']).toBe(String(Buffer.from(body, 'base64').byteLength));
  });

  it('answers a range request with the whole variant, so that a CDN never caches a part of it', async () => {
    const { request, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const whole = await request(forwardedTarget(name, sent));
    const ranged = await request(forwardedTarget(name, sent), { headers: { range: 'bytes=0-9' } });
    expect(ranged.statusCode).toBe(200);
    expect(ranged.body).toBe(whole.body);
  });

  it('stores a variant that is too large to answer, and redirects to it in the store', async () => {
    const noise = { raw: { width: 1600, height: 4000, channels: 3 } } as const;
    const large = await sharp(randomBytes(1600 * 4000 * 3), noise)
      .png({ compressionLevel: 0 })
      .toBuffer();
    const { request, bucket, client, variant } = await setUp({ '/large.png': large });
    const { name, sent } = variant('/large.png', { width: 1600, tier: 'high', format: 'jpeg' });
    const answer = await request(forwardedTarget(name, sent));
    expect(answer).toMatchObject({ statusCode: 302, headers: { 'cache-control': 'no-store' } });
    const response = await fetch(String(answer.headers['location']));
    const body = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(body.byteLength).toBeGreaterThan(4_500_000);
    expect(await sharp(body).metadata()).toMatchObject({ width: 1600, height: 4000 });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents).toHaveLength(1);
    const head = await request(forwardedTarget(name, sent), { method: 'HEAD' });
    expect([head.statusCode, head.headers['content-length']]).toEqual([200, String(body.byteLength)]);
    const etag = response.headers.get('etag') ?? '';
    const confirmed = await request(forwardedTarget(name, sent), { headers: { 'if-none-match': etag } });
    expect(confirmed.statusCode).toBe(304);
  });

  it('answers a broken source with a problem document, and fetches it only once', async () => {
    const { request, origin, variant } = await setUp();
    const { name, sent } = variant('/gone.jpg');
    for (const width of [320, 480]) {
      const answer = await request(forwardedTarget({ ...name, width }, sent));
      expect(answer).toMatchObject({ statusCode: 404, isBase64Encoded: false });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'source_not_found', status: 404 });
    }
    expect(origin.requests).toHaveLength(1);
  });

  it.each([
    [413, 'source_too_large', '/large.jpg'],
    [422, 'source_corrupt', '/damaged.jpg'],
  ])(
    'answers %i, which CloudFront does not cache, again from three reads of the store',
    async (status, code, path) => {
      const photo = await photograph();
      const proxy = await startCountingProxy(s3Server().endpoint);
      const bodies = {
        '/large.jpg': Buffer.alloc(2 * photo.length),
        '/damaged.jpg': photo.subarray(0, photo.length / 2),
      };
      const { request, origin, variant } = await setUp(bodies, {
        S3_ENDPOINT: proxy.url,
        SOURCE_MAX_BYTES: String(photo.length),
      });
      const { name, sent } = variant(path);
      const expectAnswer = async () => {
        const answer = await request(forwardedTarget(name, sent));
        expect([answer.statusCode, JSON.parse(answer.body).code]).toEqual([status, code]);
      };
      await expectAnswer();
      expect(proxy.take()).toMatchObject({ PUT: 1 });
      await expectAnswer();
      expect(proxy.take()).toEqual({ GET: 3 });
      expect(origin.requests).toEqual([path]);
    },
  );

  it('rejects requests that the edge cannot have forwarded', async () => {
    const { request, origin, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const [unsigned] = sent.split('&sig=');
    const [key = ''] = forwardedTarget(name, sent).split('?');
    const encoded = Buffer.from(sent).toString('base64url');
    const targets = {
      'the key of another unit': forwardedTarget({ ...name, unit: 'unit-2' }, sent),
      'the key of another source': forwardedTarget(name, `${unsigned}x`),
      'a width that is no rung': forwardedTarget({ ...name, width: 321 }, sent),
      'the key of another width': forwardedTarget({ ...name, width: 480 }, `${unsigned}&w=320`),
      'the key of another tier': forwardedTarget({ ...name, tier: 'high' }, `${unsigned}&q=saver`),
      'the key of another format': forwardedTarget({ ...name, format: 'webp' }, `${unsigned}&f=avif`),
      'no target of the viewer': key,
      'an empty target': `${key}?r=`,
      'a target that is no text': `${key}?r=AAAA`,
      'a target in padded base64': `${key}?r=${encoded}==`,
      'one more parameter': `${forwardedTarget(name, sent)}&x=1`,
      'a key that is written in another way': `${key.replace('320-balanced', '0320-balanced')}?r=${encoded}`,
      'a key that is no variant': `/v1/manifest.json?r=${encoded}`,
    };
    for (const [what, target] of Object.entries(targets)) {
      const answer = await request(target);
      expect([answer.statusCode, JSON.parse(answer.body).code], what).toEqual([400, 'bad_request']);
    }
    expect(origin.requests).toEqual([]);
  });

  it('answers not_found to any path but a key, also to that of an image URL', async () => {
    const { request, origin, variant } = await setUp();
    for (const target of [variant('/a.jpg').sent, '/', '/v1', '/units']) {
      expect(JSON.parse((await request(target)).body).code, target).toBe('not_found');
    }
    expect(origin.requests).toEqual([]);
  });

  it('answers method_not_allowed to POST', async () => {
    const { request, origin, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const answer = await request(forwardedTarget(name, sent), { method: 'POST' });
    expect(JSON.parse(answer.body).code).toBe('method_not_allowed');
    expect(origin.requests).toEqual([]);
  });

  it('sends its spans to a collector before it answers, and answers though a collector does not', async () => {
    const { url, spans } = await startCollector();
    const { request, variant } = await setUp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const { name, sent } = variant('/a.jpg');
    expect((await request(forwardedTarget(name, sent))).statusCode).toBe(200);
    const [root] = spans.filter(({ parentId }) => parentId === '');
    expect(root).toMatchObject({ name: 'GET /u/{unit}', attributes: { 'edgepress.outcome': 'miss' } });
    const steps = spans.filter(({ parentId }) => parentId === root?.spanId);
    expect(steps.map((step) => step.name)).toEqual(expect.arrayContaining(['fetch', 'encode', 'put']));

    const silent = await startOrigin(() => {});
    const other = await setUp({}, { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url });
    const { name: otherName, sent: otherSent } = other.variant('/a.jpg');
    expect((await other.request(forwardedTarget(otherName, otherSent))).statusCode).toBe(200);
  });

  it('decodes in the worker threads that are deployed with it', async () => {
    const heic = await readFile(join(import.meta.dirname, '../encode/fixtures/quadrants-display-p3.heic'));
    const files = {
      '/a.heic': heic,
      '/a.bmp': bmp(96, 64, { bits: 24 }),
      '/a.pdf': pageAsPdf({ content: quartersOfPage(QUARTERS) }),
    };
    const { request, variant } = await setUp(files);
    for (const path of Object.keys(files)) {
      const { name, sent } = variant(path, { format: 'jpeg' });
      const answer = await request(forwardedTarget(name, sent));
      // Four colours are smallest as a lossless PNG.
      expect(answer, path).toMatchObject({ statusCode: 200, headers: { 'content-type': 'image/png' } });
      expect(await coloursOf(Buffer.from(answer.body, 'base64'))).toHaveLength(4);
    }
  });

  it('sends the worker an invalidation job when a purge came while the variant was made', async () => {
    const { url, client: sqs } = await createTestQueue();
    const endpoint = new URL(url).origin;
    let purge = async () => {};
    const purgingOrigin = await startOrigin(async (_request, response) => {
      await purge();
      response.end(await photograph());
    });
    const { request, bucket, client, variant } = await setUp(
      {},
      { QUEUE: url, SQS_ENDPOINT: endpoint, SOURCE_ALLOW_PRIVATE: purgingOrigin.authority },
    );
    const tombstones = createTombstones(createS3Store({ bucket, client }), sha256, Date.now);
    purge = async () => void (await tombstones.put('unit-1', Date.now()));
    const { name, sent } = variant('/a.jpg', { src: `${purgingOrigin.url}/a.jpg` });
    const answer = await request(forwardedTarget(name, sent));
    expect([answer.statusCode, answer.headers['cache-status']]).toEqual([200, 'edgepress; fwd=miss']);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'v1/' }));
    expect(Contents).toEqual([]);
    expect(await receiveJobs(sqs, url)).toEqual([
      { unit: 'unit-1', images: 0, retry: false, invalidate: true },
    ]);
  });

  it.each([{ WIDTHS: 'wide' }, { STORE: 'file:/tmp/edgepress-of-no-function' }])(
    'does not start with the invalid environment %o, and names the variable',
    async (invalid) => {
      const { env } = await createStoreEnvironment();
      const booted = bootFunction(artifact.folder, 'lambda-image', { ...env, ...invalid });
      await expect(booted).rejects.toThrow(Object.keys(invalid)[0]);
    },
  );
});

/** Returns the files that a process has mapped into its memory. */
async function mappedFilesOf(lambda: Lambda): Promise<string> {
  return await readFile(`/proc/${lambda.process.pid}/maps`, 'utf8');
}

async function receiveJobs(sqs: SQSClient, url: string) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 1 }),
  );
  return Messages.flatMap(({ Body = '' }) => decodeMessage(Body));
}
