import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress, unitCacheTag } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import type { SqsBatchResponse } from '../../src/queue/lambda-messages.ts';
import { packMessages, decodeMessage } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { createSqsApi } from '../../src/queue/sqs-api.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { encodeManifest } from '../../src/unit/manifest.ts';
import { DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';
import { startOrigin } from '../support/http/service.ts';
import { bootFunction, buildArtifact, createStoreEnvironment } from '../support/lambda/artifact.ts';
import { photograph } from '../support/pictures.ts';
import { describeS3 } from '../support/store/bucket.ts';
import { createTestQueue } from '../support/queue/sqs.ts';

describeS3('the worker function, as Lambda boots it', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  async function setUp(more: Record<string, string> = {}) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) => {
      if (request.url === '/gone.jpg') response.writeHead(404).end();
      else response.end(photo);
    });
    const { bucket, client, env } = await createStoreEnvironment();
    const { url, client: sqs } = await createTestQueue();
    const calls = createSqsApi({ url, client: sqs });
    const lambda = await bootFunction(artifact.folder, 'lambda-worker', {
      ...env,
      QUEUE: url,
      SQS_ENDPOINT: new URL(url).origin,
      SOURCE_ALLOW_PRIVATE: origin.authority,
      ...more,
    });
    const store = createS3Store({ bucket, client });
    const keep = async (id: string, paths: readonly string[]): Promise<Job> => {
      const images = paths.map((path) => ({ src: `${origin.url}${path}` }));
      const unit = { id, images, widths: [160], tiers: ['balanced'], formats: ['webp'] } as const;
      const { manifestKey } = unitAddress(id, sha256);
      await store.put(manifestKey, encodeManifest(unit, Date.now()), { contentType: 'application/json' });
      return { unit: id, images: images.length, retry: false };
    };
    const damage = async (id: string) => {
      const Key = unitAddress(id, sha256).manifestKey;
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{' }));
    };
    const keysOf = async (id: string) => {
      const keys: string[] = [];
      for await (const { key } of store.list(unitAddress(id, sha256).folder))
        keys.push(key.split('/').at(-1) ?? '');
      return keys.sort();
    };
    /** Puts messages on the queue, and receives them as Lambda's pollers do. */
    const receive = async (bodies: readonly string[]) => {
      await calls.send(bodies, 0);
      const messages = await calls.receive(10, 0, AbortSignal.timeout(5000));
      const Records = messages.map(({ MessageId = '', ReceiptHandle = '', Body = '' }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1795608000000' },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:edgepress',
        awsRegion: 'us-east-1',
      }));
      return { Records };
    };
    const logged = () =>
      lambda
        .output()
        .split('\n')
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    return { origin, store, calls, lambda, keep, damage, keysOf, receive, logged };
  }

  it('prewarms the units of a batch, and gives back only the message that failed', async () => {
    const { damage, keep, keysOf, lambda, logged, receive } = await setUp();
    const good = await keep('good', ['/a.jpg', '/gone.jpg']);
    const bad = await keep('bad', ['/a.jpg']);
    await damage('bad');
    const event = await receive([...packMessages([good]), ...packMessages([bad]), 'no message']);
    const idOf = (text: string) => event.Records.find(({ body }) => body.includes(text))?.messageId;
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event);
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(
      [idOf('"bad"'), idOf('no message')].sort(),
    );
    expect(await keysOf('good')).toEqual(['160-balanced.webp', 'manifest.json', 'source.json']);
    expect(logged()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ unit: 'good', state: 'ready' }),
        expect.objectContaining({ unit: 'good', state: 'broken', code: 'source_not_found' }),
        expect.objectContaining({ unit: 'bad', level: 50 }),
      ]),
    );
  });

  it('sends what fails of a message with several units again alone', async () => {
    const { calls, damage, keep, keysOf, lambda, receive } = await setUp();
    const jobs = [await keep('good', ['/a.jpg']), await keep('bad', ['/a.jpg'])];
    await damage('bad');
    const answer = await lambda.invoke<SqsBatchResponse>(await receive(packMessages(jobs)));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await keysOf('good')).toContain('160-balanced.webp');
    const delayed = await calls.getAttributes(['ApproximateNumberOfMessagesDelayed']);
    expect(delayed).toEqual({ ApproximateNumberOfMessagesDelayed: 1 });
  });

  it('begins nothing more when its time runs out, and gives the messages back at once', async () => {
    const { calls, keep, keysOf, lambda, origin, receive } = await setUp();
    const job = await keep('late', ['/a.jpg']);
    const event = await receive(packMessages([job]));
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event, 0);
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }]);
    expect([origin.requests, await keysOf('late')]).toEqual([[], ['manifest.json']]);
    const again = await calls.receive(10, 0, AbortSignal.timeout(5000));
    expect(again.flatMap(({ Body = '' }) => decodeMessage(Body))).toEqual([job]);
    // The next invocation of the same environment works as if nothing had been.
    const answer = await lambda.invoke<SqsBatchResponse>(event);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await keysOf('late')).toContain('160-balanced.webp');
  });

  it('has CloudFront forget what others cannot tell it of', async () => {
    const cloudfront = await startCloudFront();
    const { lambda, receive } = await setUp({
      CDN: `cloudfront:${DISTRIBUTION}`,
      CLOUDFRONT_ENDPOINT: cloudfront.endpoint,
    });
    const job: Job = { unit: 'unit-1', images: 0, retry: false, invalidate: true };
    expect(await lambda.invoke(await receive(packMessages([job])))).toEqual({ batchItemFailures: [] });
    expect(cloudfront.invalidations()).toEqual([[`#${unitCacheTag('unit-1', sha256)}`]]);
  });

  it('gives a job back that CloudFront is too busy for', async () => {
    const cloudfront = await startCloudFront({ otherPaths: 3000 });
    const { lambda, receive } = await setUp({
      CDN: `cloudfront:${DISTRIBUTION}`,
      CLOUDFRONT_ENDPOINT: cloudfront.endpoint,
    });
    const job: Job = { unit: 'unit-1', images: 0, retry: false, invalidate: true };
    const event = await receive(packMessages([job]));
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event, 1500);
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }]);
    expect(cloudfront.invalidations()).toEqual([]);
  });

  it('removes on schedule what died between its put and its look at a purge', async () => {
    const { calls, keep, keysOf, lambda, store } = await setUp();
    await keep('purged', ['/a.jpg']);
    const tombstones = createTombstones(store, sha256, Date.now);
    await tombstones.put('purged', Date.now());
    await lambda.invoke({ version: '0', source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
    expect(await keysOf('purged')).toEqual([]);
    // CloudFront is told by whoever gets this, and has the time.
    const messages = await calls.receive(10, 0, AbortSignal.timeout(5000));
    expect(messages.flatMap(({ Body = '' }) => decodeMessage(Body))).toEqual([
      { unit: 'purged', images: 0, retry: false, invalidate: true },
    ]);
  });
});
