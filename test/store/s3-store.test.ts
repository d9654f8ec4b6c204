import { PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { createBucket, describeS3, s3Server } from '../setup/bucket.ts';
import { describeStore } from './store-contract.ts';

describeS3('S3', () => {
  describeStore('a bucket', async () => createS3Store(await createBucket()), {
    propertyRuns: 40,
    versions: 40,
  });

  let bucket: string;
  let client: S3Client;
  beforeAll(async () => {
    ({ bucket, client } = await createBucket());
  });

  test('serves an object by itself with all that was said of it', async () => {
    await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: readableByAll(bucket) }));
    const { etag } = await createS3Store({ bucket, client }).put('v1/00/unit/x.avif', Buffer.from('bytes'), {
      contentType: 'image/avif',
      cacheControl: 'public, max-age=60',
      metadata: { 'cache-tag': 'u-1,s-2', width: '1080' },
    });
    const answer = await fetch(`${s3Server().endpoint}/${bucket}/v1/00/unit/x.avif`);
    expect(await answer.text()).toBe('bytes');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/avif',
      'content-length': '5',
      'cache-control': 'public, max-age=60',
      'x-amz-meta-cache-tag': 'u-1,s-2',
      'x-amz-meta-width': '1080',
      etag,
    });
  });

  describe.each(['get', 'head', 'put', 'delete'] as const)('%s', (method) => {
    const ask = (store: ReturnType<typeof createS3Store>) =>
      store[method]('a/b', Buffer.from('x'), { contentType: 'image/avif' });

    test('finds a fault, and no miss, when the bucket is not there', async () => {
      const store = createS3Store({ bucket: 'no-such-bucket', client });
      for (const _ of ['once', 'again']) {
        await expect(ask(store)).rejects.toSatisfy((error) => /NoSuchBucket|no bucket/.test(String(error)));
      }
    });

    test('finds a fault, and no miss, when S3 refuses', async () => {
      const { endpoint, accessKeyId } = s3Server();
      const stranger = createS3Client({ endpoint, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
      await expect(ask(createS3Store({ bucket, client: stranger }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
    });
  });
});

function readableByAll(bucket: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` },
    ],
  });
}
