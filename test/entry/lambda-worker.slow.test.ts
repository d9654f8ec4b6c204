import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress, unitCacheTag } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import type { SqsBatchResponse } from '../../src/queue/lambda-messages.ts';
import { decodeMessage, packMessages } from '../../src/queue/message.ts';
import type { Job } from '../../src/queue/queue.ts';
import { createSqsApi } from '../../src/queue/sqs-api.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { encodeManifest, manifestOf } from '../../src/unit/manifest.ts';
import { DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';
import { startOrigin, until } from '../support/http/service.ts';
import { bootFunction, buildArtifact, createStoreEnvironment } from '../support/lambda/artifact.ts';
import { startReceiver } from '../support/notify/receiver.ts';
import { photograph } from '../support/pictures.ts';
import { createTestQueue } from '../support/queue/sqs.ts';
import { describeS3 } from '../support/store/bucket.ts';

describeS3('the worker function on Lambda', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  async function setUp(extraEnv: Record<string, string> = {}) {
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
      ...extraEnv,
    });
    const store = createS3Store({ bucket, client });
    const storeManifest = async (id: string, paths: readonly string[]): Promise<Job> => {
      const images = paths.map((path) => ({ src: `${origin.url}${path}` }));
      const unit = { id, images, widths: [160], tiers: ['balanced'], formats: ['webp'] } as const;
      const { manifestKey } = unitAddress(id, sha256);
      await store.put(manifestKey, encodeManifest(manifestOf(unit, { atMs: Date.now(), lastPurgeMs: 0 })), {
        contentType: 'application/json',
      });
      return { unit: id, images: images.length, retry: false };
    };
    const corruptManifest = async (id: string) => {
      const Key = unitAddress(id, sha256).manifestKey;
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '{' }));
    };
    const fileNamesOf = async (id: string) => {
      const keys: string[] = [];
      for await (const { key } of store.list(unitAddress(id, sha256).folder))
        keys.push(key.split('/').at(-1) ?? '');
      return keys.sort();
    };
    /** Sends messages to the queue, and receives them in the event of Lambda's pollers. */
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
    const logLines = () =>
      lambda
        .output()
        .split('\n')
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    return { origin, store, calls, lambda, storeManifest, corruptManifest, fileNamesOf, receive, logLines };
  }

  it('prewarms the units of a batch, and reports only the messages that failed', async () => {
    const { corruptManifest, storeManifest, fileNamesOf, lambda, logLines, receive } = await setUp();
    const good = await storeManifest('good', ['/a.jpg', '/gone.jpg']);
    const bad = await storeManifest('bad', ['/a.jpg']);
    await corruptManifest('bad');
    const event = await receive([...packMessages([good]), ...packMessages([bad]), 'no message']);
    const idOf = (text: string) => event.Records.find(({ body }) => body.includes(text))?.messageId;
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event);
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(
      [idOf('"bad"'), idOf('no message')].sort(),
    );
    expect(await fileNamesOf('good')).toEqual(['160-balanced.webp', 'manifest.json', 'source.json']);
    expect(logLines()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ unit: 'good', state: 'ready' }),
        expect.objectContaining({ unit: 'good', state: 'broken', code: 'source_not_found' }),
        expect.objectContaining({ unit: 'bad', level: 50 }),
      ]),
    );
  });

  it('sends an event before it answers, and one that could not be sent when it sweeps', async () => {
    let isDown = false;
    const receiver = await startReceiver((_received, _nth, response) =>
      response.writeHead(isDown ? 503 : 200, { 'Retry-After': '0' }).end(),
    );
    const { storeManifest, lambda, receive, store } = await setUp(receiver.env);
    const invoke = async (id: string) =>
      await lambda.invoke(await receive(packMessages([await storeManifest(id, ['/a.jpg'])])));
    await invoke('unit-1');
    expect(receiver.events()).toMatchObject([{ type: 'unit.completed', data: { unit: 'unit-1', ready: 1 } }]);
    isDown = true;
    expect(await invoke('unit-2')).toEqual({ batchItemFailures: [] });
    isDown = false;
    await until(async () => {
      await lambda.invoke({ source: 'aws.events' });
      return receiver.attempts.length === 3;
    });
    expect(receiver.events()[2]).toEqual(receiver.events()[1]);
    const waiting: string[] = [];
    for await (const { key } of store.list('events')) waiting.push(key);
    expect(waiting).toEqual([]);
  });

  it('sends a failed unit again by itself when its message had several', async () => {
    const { calls, corruptManifest, storeManifest, fileNamesOf, lambda, receive } = await setUp();
    const jobs = [await storeManifest('good', ['/a.jpg']), await storeManifest('bad', ['/a.jpg'])];
    await corruptManifest('bad');
    const answer = await lambda.invoke<SqsBatchResponse>(await receive(packMessages(jobs)));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await fileNamesOf('good')).toContain('160-balanced.webp');
    const delayed = await calls.getAttributes(['ApproximateNumberOfMessagesDelayed']);
    expect(delayed).toEqual({ ApproximateNumberOfMessagesDelayed: 1 });
  });

  it('starts no work when its time runs out, and makes the messages visible at once', async () => {
    const { calls, storeManifest, fileNamesOf, lambda, origin, receive } = await setUp();
    const job = await storeManifest('late', ['/a.jpg']);
    const event = await receive(packMessages([job]));
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event, 0);
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }]);
    expect([origin.requests, await fileNamesOf('late')]).toEqual([[], ['manifest.json']]);
    const again = await calls.receive(10, 0, AbortSignal.timeout(5000));
    expect(again.flatMap(({ Body = '' }) => decodeMessage(Body))).toEqual([job]);
    // The next invocation in the same execution environment works normally.
    const answer = await lambda.invoke<SqsBatchResponse>(event);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await fileNamesOf('late')).toContain('160-balanced.webp');
  });

  it('invalidates at CloudFront for functions that may not', async () => {
    const cloudfront = await startCloudFront();
    const { lambda, receive } = await setUp({
      CDN: `cloudfront:${DISTRIBUTION}`,
      CLOUDFRONT_ENDPOINT: cloudfront.endpoint,
    });
    const job: Job = { unit: 'unit-1', images: 0, retry: false, invalidate: true };
    expect(await lambda.invoke(await receive(packMessages([job])))).toEqual({ batchItemFailures: [] });
    expect(cloudfront.invalidations()).toEqual([[`#${unitCacheTag('unit-1', sha256)}`]]);
  });

  it('reports an invalidation job as failed while CloudFront has too many in progress', async () => {
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

  it('sweeps variants that outlived a purge, on schedule, and has them invalidated', async () => {
    const { calls, storeManifest, fileNamesOf, lambda, store } = await setUp();
    await storeManifest('purged', ['/a.jpg']);
    const tombstones = createTombstones(store, sha256, Date.now);
    await tombstones.put('purged', Date.now());
    await lambda.invoke({ version: '0', source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
    expect(await fileNamesOf('purged')).toEqual([]);
    // The invocation that receives this job invalidates at CloudFront.
    const messages = await calls.receive(10, 0, AbortSignal.timeout(5000));
    expect(messages.flatMap(({ Body = '' }) => decodeMessage(Body))).toEqual([
      { unit: 'purged', images: 0, retry: false, invalidate: true },
    ]);
  });
});
