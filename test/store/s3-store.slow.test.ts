import { PutBucketPolicyCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';
import { describeStore } from './store-contract.ts';

describeS3('the S3 store', () => {
  describeStore('a bucket', async () => createS3Store(await createBucket()), {
    propertyRuns: 40,
    versions: 40,
  });

  let bucket: string;
  let client: S3Client;
  beforeAll(async () => {
    ({ bucket, client } = await createBucket());
  });

  test('stores an object so that S3 itself serves it with its type, cache control and metadata', async () => {
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

  test('names the first object that it may not delete, and deletes the others', async () => {
    const own = await createBucket();
    const store = createS3Store(own);
    const keys = Array.from({ length: 5 }, (_, index) => `${index % 2 ? 'locked' : 'free'}/${index}`);
    for (const key of keys) await store.put(key, Buffer.from('x'), { contentType: 'text/plain' });
    const policy = new PutBucketPolicyCommand({ Bucket: own.bucket, Policy: locked(own.bucket) });
    await own.client.send(policy);
    await expect(store.delete(keys)).rejects.toThrow(/ locked\/[13]: AccessDenied.*, and 1 more$/);
    await expect(store.delete(['locked/1'])).rejects.toThrow(/ locked\/1: AccessDenied: \w+$/);
    for (const key of keys) expect((await store.head(key)) !== undefined).toBe(key.startsWith('locked'));
  });

  test('leaves keys out of a listing that are not valid in a store', async () => {
    const folder = 'v1/00/visited';
    for (const name of ['', '/', 'a/', 'a b', 'é', 'a//b', '\u0001', '<&amp;>', '%61', 'ours']) {
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: `${folder}/${name}`, Body: Buffer.from('x') }),
      );
    }
    const keys: string[] = [];
    for await (const { key } of createS3Store({ bucket, client }).list(folder)) keys.push(key);
    expect(keys).toEqual([`${folder}/ours`]);
  });

  describe.each<[string, (store: VariantStore) => Promise<unknown>]>([
    ['get', (store) => store.get('a/b')],
    ['head', (store) => store.head('a/b')],
    ['put', (store) => store.put('a/b', Buffer.from('x'), { contentType: 'image/avif' })],
    ['delete', (store) => store.delete(['a/b'])],
    ['list', (store) => store.list('a')[Symbol.asyncIterator]().next()],
  ])('%s of the S3 store', (_, ask) => {
    test('throws, and returns no miss, when the bucket does not exist', async () => {
      const store = createS3Store({ bucket: 'no-such-bucket', client });
      for (const _ of ['once', 'again']) {
        await expect(ask(store)).rejects.toThrow(/there is no bucket ".*STORE, which names it/);
      }
    });

    test('throws, and returns no miss, when S3 refuses access', async () => {
      const { endpoint, accessKeyId } = s3Server();
      const stranger = createS3Client({ endpoint, credentials: { accessKeyId, secretAccessKey: 'wrong' } });
      await expect(ask(createS3Store({ bucket, client: stranger }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
    });
  });
});

function readableByAll(bucket: string): string {
  return policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` });
}

function locked(bucket: string): string {
  return policyOf({ Effect: 'Deny', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${bucket}/locked/*` });
}

function policyOf(statement: Record<string, string>): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Principal: '*', ...statement }] });
}
