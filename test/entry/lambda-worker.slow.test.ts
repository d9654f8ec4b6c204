import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress, unitCacheTag } from '../../src/protocol/keys.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import type { SqsBatchResponse } from '../../src/queue/lambda-messages.ts';
import { decodeMessage, encodeMessage, packJobs } from '../../src/queue/message.ts';
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

const packMessages = (jobs: readonly Job[]) => packJobs(jobs).map(encodeMessage);

describeS3('the worker function on Lambda', () => {
  let artifact: Awaited<ReturnType<typeof buildArtifact>>;
  beforeAll(async () => {
    artifact = await buildArtifact();
  });
  afterAll(() => artifact.remove());

  function objectCreated(bucket: string, key: string): string {
    const detail = { bucket: { name: bucket }, object: { key, size: 1 } };
    return JSON.stringify({ version: '0', source: 'aws.s3', 'detail-type': 'Object Created', detail });
  }

  async function setUp(extraEnv: Record<string, string> = {}) {
    const photo = await photograph();
    const origin = await startOrigin((request, response) => {
      if (request.url === '/gone.jpg') response.writeHead(404).end();
      else response.end(photo);
    });
    const { bucket, client, env } = await createStoreEnvironment();
    const ingestFrom = { INGEST_FROM: `s3://${bucket}/units/` };
    const { url, client: sqs } = await createTestQueue();
    const calls = createSqsApi({ url, client: sqs });
    const lambda = await bootFunction(artifact.folder, 'lambda-worker', {
      ...env,
      QUEUE: url,
      SQS_ENDPOINT: new URL(url).origin,
      SOURCE_ALLOW_PRIVATE: origin.authority,
      ...ingestFrom,
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
      await calls.send(
        bodies.map((body) => ({ body, group: undefined })),
        0,
      );
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
    /** Puts an object with units, and returns the message of its event. */
    const putUnits = async (key: string, body: string | Uint8Array) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) }));
      return objectCreated(bucket, key);
    };
    return {
      ...{ origin, store, bucket, calls, lambda, storeManifest, corruptManifest, fileNamesOf, receive },
      ...{ logLines, putUnits },
    };
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

  it('puts the units of a new object in S3 on the queue, and prewarms them', async () => {
    const { origin, calls, fileNamesOf, lambda, logLines, putUnits, receive } = await setUp({
      PREWARM_WIDTHS: '160',
      PREWARM_FORMATS: 'webp',
    });
    const rows = ['id,front', `a,${origin.url}/a.jpg`, 'b,', `c,${origin.url}/c.jpg`];
    const key = 'units/2026 11+28.csv.gz';
    const event = await putUnits(key, gzipSync(rows.join('\n')));
    expect(await lambda.invoke(await receive([event]))).toEqual({ batchItemFailures: [] });
    const isSummary = ({ object }: { object?: string }) => object?.endsWith(key) === true;
    await until(() => logLines().some(isSummary));
    const summary = logLines().find(isSummary);
    expect(summary).toMatchObject({
      units: 2,
      images: 2,
      refusedCount: 1,
      refused: [{ line: 3, unit: 'b' }],
    });
    const sent = await calls.receive(10, 0, AbortSignal.timeout(5000));
    const jobs = sent.flatMap(({ Body = '' }) => (Body === event ? [] : decodeMessage(Body)));
    expect(jobs.map(({ unit }) => unit)).toEqual(['a', 'c']);
    expect(await lambda.invoke(await receive(packMessages(jobs)))).toEqual({ batchItemFailures: [] });
    expect(await fileNamesOf('c')).toContain('160-balanced.webp');
  });

  it('leaves an object to the dead letters that is empty, damaged, or not in INGEST_FROM, and says why', async () => {
    const { bucket, lambda, logLines, putUnits, receive } = await setUp();
    const unit = '{"id":"a","images":"https://x.test/1"}\n';
    const events = [
      await putUnits('units/empty.csv', ''),
      await putUnits('units/cut.gz', Buffer.from(gzipSync(unit.repeat(3)).subarray(0, -12))),
      await putUnits('units/pack.zip', 'PK\u0003\u0004'),
      await putUnits('other/a.jsonl', unit),
    ];
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(await receive(events));
    expect(batchItemFailures).toHaveLength(4);
    const errorsLogged = () => logLines().flatMap(({ level, err }) => (level === 50 ? [err.message] : []));
    await until(() => errorsLogged().length >= 4);
    const errors = errorsLogged();
    const failed = (key: string) => `s3://${bucket}/${key} could not be ingested: `;
    expect(errors.sort()).toEqual([
      `${failed('other/a.jsonl')}INGEST_FROM does not name it`,
      expect.stringContaining(`${failed('units/cut.gz')}from here on, the input cannot be read`),
      `${failed('units/empty.csv')}it has no units: it is empty`,
      expect.stringContaining(`${failed('units/pack.zip')}it is a ZIP archive`),
    ]);
  });

  it('acknowledges the event of an object that was deleted meanwhile', async () => {
    const { bucket, lambda, logLines, receive } = await setUp();
    const event = objectCreated(bucket, 'units/gone.csv');
    expect(await lambda.invoke(await receive([event]))).toEqual({ batchItemFailures: [] });
    const object = `s3://${bucket}/units/gone.csv`;
    await until(() => logLines().some((line) => line.level === 40 && line.object === object));
  });

  it('leaves an object for later when its time runs out', async () => {
    const { calls, lambda, logLines, putUnits, receive } = await setUp();
    const event = await receive([await putUnits('units/a.jsonl', '{"id":"a","images":"https://x.test/1"}')]);
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event, 0);
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }]);
    expect(logLines().filter(({ object }) => object)).toEqual([]);
    expect(await calls.receive(10, 0, AbortSignal.timeout(5000))).toHaveLength(1);
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
