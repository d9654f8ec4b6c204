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
import { readMessage } from '../../src/queue/message.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { startOrigin } from '../support/http/service.ts';
import {
  bootFunction,
  buildArtifact,
  createStoreEnvironment,
  forwarded,
} from '../support/lambda/artifact.ts';
import { type FunctionUrlResult, functionUrlEvent } from '../support/lambda/function-url.ts';
import type { Lambda } from '../support/lambda/lambda.ts';
import { coloursOf, photograph } from '../support/pictures.ts';
import { describeS3 } from '../support/store/bucket.ts';
import { createTestQueue } from '../support/queue/sqs.ts';

describeS3('the image function, as Lambda boots it', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  async function setUp(answers: Record<string, Buffer> = {}, more: Record<string, string> = {}) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) => {
      if (request.url === '/gone.jpg') response.writeHead(404).end();
      else response.end(answers[request.url ?? ''] ?? photo);
    });
    const store = await createStoreEnvironment();
    const env = { ...store.env, SOURCE_ALLOW_PRIVATE: origin.authority, ...more };
    const lambda = await bootFunction(artifact.folder, 'lambda-image', env);
    const ask = (target: string, { method = 'GET', headers = {} } = {}) =>
      lambda.invoke<FunctionUrlResult>(functionUrlEvent(method, target, headers));
    const variant = (path: string, said: Partial<VariantName> = {}) => {
      const name: VariantName = {
        unit: 'unit-1',
        src: `${origin.url}${path}`,
        width: 320,
        tier: 'balanced',
        format: 'avif',
        ...said,
      };
      return { name, sent: `/u/${name.unit}?src=${encodeURIComponent(name.src)}&sig=k1.not-looked-at` };
    };
    return { ...store, env, origin, lambda, ask, variant };
  }

  it('makes and stores what is missing, and answers it with nothing that a CDN could keep it by', async () => {
    const { ask, bucket, client, variant } = await setUp();
    const { name, sent } = variant("/it's (1).jpg");
    const made = await ask(forwarded(name, sent), { headers: { 'if-none-match': '"x"' } });
    expect(made).toMatchObject({
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
    expect(made.headers).not.toHaveProperty('etag');
    const body = Buffer.from(made.body, 'base64');
    expect(await sharp(body).metadata()).toMatchObject({ width: 320, compression: 'av1' });

    const { Contents: [object] = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(`/${object?.Key}`).toBe(forwarded(name, sent).split('?')[0]);
    const stored = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: object?.Key }));
    expect(stored).toMatchObject({
      ContentLength: body.byteLength,
      CacheControl: 'public, max-age=604800, s-maxage=31536000',
      Metadata: { 'cache-tag': made.headers['x-amz-meta-cache-tag'] },
    });
  });

  it('answers what is there from the store, without loading what makes variants', async () => {
    const { ask, env, lambda, origin, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    await ask(forwarded(name, sent));
    const second = await bootFunction(artifact.folder, 'lambda-image', env);
    const hit = await second.invoke<FunctionUrlResult>(functionUrlEvent('GET', forwarded(name, sent)));
    expect(hit.headers).toMatchObject({
      'cache-status': 'edgepress; hit',
      'cache-control': 'public, max-age=604800, s-maxage=60, stale-if-error=0',
    });
    expect(hit.headers).not.toHaveProperty('etag');
    expect(origin.requests).toHaveLength(1);
    expect(await librariesOf(lambda)).toMatch(/libvips/);
    expect(await librariesOf(second)).not.toMatch(/libvips/);
  });

  it('answers HEAD without the picture, and a range with the whole, of which a CDN keeps no part', async () => {
    const { ask, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const head = await ask(forwarded(name, sent), { method: 'HEAD' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    const whole = await ask(forwarded(name, sent), { headers: { range: 'bytes=0-9' } });
    expect(whole.statusCode).toBe(200);
    expect(String(Buffer.from(whole.body, 'base64').byteLength)).toBe(head.headers['content-length']);
  });

  it('stores what is too large for an answer, and sends whoever asks to the store', async () => {
    const noise = { raw: { width: 1600, height: 4000, channels: 3 } } as const;
    const large = await sharp(randomBytes(1600 * 4000 * 3), noise)
      .png({ compressionLevel: 0 })
      .toBuffer();
    const { ask, bucket, client, variant } = await setUp({ '/large.png': large });
    const { name, sent } = variant('/large.png', { width: 1600, tier: 'high', format: 'jpeg' });
    const answer = await ask(forwarded(name, sent));
    expect(answer).toMatchObject({ statusCode: 302, headers: { 'cache-control': 'no-store' } });
    const response = await fetch(String(answer.headers['location']));
    const body = Buffer.from(await response.arrayBuffer());
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(body.byteLength).toBeGreaterThan(4_500_000);
    expect(await sharp(body).metadata()).toMatchObject({ width: 1600, height: 4000 });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents).toHaveLength(1);
    const head = await ask(forwarded(name, sent), { method: 'HEAD' });
    expect([head.statusCode, head.headers['content-length']]).toEqual([200, String(body.byteLength)]);
    const etag = response.headers.get('etag') ?? '';
    const confirmed = await ask(forwarded(name, sent), { headers: { 'if-none-match': etag } });
    expect(confirmed.statusCode).toBe(304);
  });

  it('says what is wrong with a source, and remembers it', async () => {
    const { ask, origin, variant } = await setUp();
    const { name, sent } = variant('/gone.jpg');
    for (const width of [320, 480]) {
      const answer = await ask(forwarded({ ...name, width }, sent));
      expect(answer).toMatchObject({ statusCode: 404, isBase64Encoded: false });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'source_not_found', status: 404 });
    }
    expect(origin.requests).toHaveLength(1);
  });

  it('refuses what the edge cannot have sent', async () => {
    const { ask, origin, variant } = await setUp();
    const { name, sent } = variant('/a.jpg');
    const other = `${sent.split('&sig=')[0]}x`;
    const key = forwarded(name, sent).split('?')[0];
    const wrong = [
      forwarded({ ...name, unit: 'unit-2' }, sent),
      forwarded(name, other),
      forwarded({ ...name, width: 321 }, sent),
      forwarded({ ...name, width: 480 }, `${sent.split('&sig=')[0]}&w=320`),
      forwarded({ ...name, tier: 'high' }, `${sent.split('&sig=')[0]}&q=saver`),
      forwarded({ ...name, format: 'webp' }, `${sent.split('&sig=')[0]}&f=avif`),
      `${key}`,
      `${key}?r=`,
      `${key}?r=AAAA`,
      `${key}?r=${Buffer.from(sent).toString('base64')}`,
      `${forwarded(name, sent)}&x=1`,
      `${key?.replace('320-balanced', '0320-balanced')}?r=${Buffer.from(sent).toString('base64url')}`,
      `/v1/manifest.json?r=${Buffer.from(sent).toString('base64url')}`,
    ];
    for (const target of wrong) {
      const answer = await ask(target);
      expect([answer.statusCode, JSON.parse(answer.body).code], target).toEqual([400, 'bad_request']);
    }
    for (const target of [sent, '/', '/v1', '/units']) {
      expect(JSON.parse((await ask(target)).body).code, target).toBe('not_found');
    }
    expect(JSON.parse((await ask(forwarded(name, sent), { method: 'POST' })).body).code).toBe(
      'method_not_allowed',
    );
    expect(origin.requests).toEqual([]);
  });

  it('decodes HEIC in the thread that comes with it', async () => {
    const heic = await readFile(join(import.meta.dirname, '../encode/fixtures/quadrants-display-p3.heic'));
    const { ask, variant } = await setUp({ '/a.heic': heic });
    const { name, sent } = variant('/a.heic', { format: 'jpeg' });
    const answer = await ask(forwarded(name, sent));
    // Four colours are smallest without loss.
    expect(answer).toMatchObject({ statusCode: 200, headers: { 'content-type': 'image/png' } });
    expect(await coloursOf(Buffer.from(answer.body, 'base64'))).toHaveLength(4);
  });

  it('has the worker tell CloudFront of what it took back after a purge', async () => {
    const { url, client: sqs } = await createTestQueue();
    const endpoint = new URL(url).origin;
    let purge = async () => {};
    const held = await startOrigin(async (_request, response) => {
      await purge();
      response.end(await photograph());
    });
    const { ask, bucket, client, variant } = await setUp(
      {},
      { QUEUE: url, SQS_ENDPOINT: endpoint, SOURCE_ALLOW_PRIVATE: held.authority },
    );
    const tombstones = createTombstones(createS3Store({ bucket, client }), sha256, Date.now);
    purge = async () => void (await tombstones.put('unit-1', Date.now()));
    const { name, sent } = variant('/a.jpg', { src: `${held.url}/a.jpg` });
    const answer = await ask(forwarded(name, sent));
    expect([answer.statusCode, answer.headers['cache-status']]).toEqual([200, 'edgepress; fwd=miss']);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'v1/' }));
    expect(Contents).toEqual([]);
    expect(await receiveJobs(sqs, url)).toEqual([
      { unit: 'unit-1', images: 0, retry: false, invalidate: true },
    ]);
  });

  it.each([{ WIDTHS: 'wide' }, { STORE: 'file:/tmp/edgepress-of-no-function' }])(
    'does not start with an environment that is wrong, and names what is: %o',
    async (wrong) => {
      const { env } = await createStoreEnvironment();
      const booted = bootFunction(artifact.folder, 'lambda-image', { ...env, ...wrong });
      await expect(booted).rejects.toThrow(Object.keys(wrong)[0]);
    },
  );
});

/** What a process has mapped into its memory. */
async function librariesOf(lambda: Lambda): Promise<string> {
  return await readFile(`/proc/${lambda.process.pid}/maps`, 'utf8');
}

async function receiveJobs(sqs: SQSClient, url: string) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 1 }),
  );
  return Messages.flatMap(({ Body = '' }) => readMessage(Body));
}
