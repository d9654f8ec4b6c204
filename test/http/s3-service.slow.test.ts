import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { RECIPE } from '../../src/encode/encoder.ts';
import { codeOf, startOrigin, startService, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';

/** A service with a bucket of its own as the store. */
async function setUp(env: Record<string, string> = {}) {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  const { bucket, client } = await createBucket();
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/gone.jpg' ? response.writeHead(404).end() : response.end(photo),
  );
  const s3 = { STORE: `s3://${bucket}`, S3_ENDPOINT: endpoint };
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ...s3, ...env });
  return { bucket, client, origin, photo, service };
}

describeS3('A service with a bucket as its store', () => {
  it('stores variants that S3 can serve by itself, and answers hits from them', async () => {
    const { bucket, client, origin, service } = await setUp();
    const target = targetFor(`${origin.url}/a.jpg`, { width: 320, format: 'webp', tier: 'high' });
    const made = await service.request(target);
    const body = Buffer.from(await made.arrayBuffer());
    const hit = await service.request(target);
    expect(made.headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    expect(hit.headers.get('cache-status')).toBe('edgepress; hit');
    expect(Buffer.from(await hit.arrayBuffer()).equals(body)).toBe(true);
    expect(hit.headers.get('etag')).toBe(made.headers.get('etag'));

    const { Contents: [object] = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: 'v1/' }),
    );
    expect(object?.Key).toMatch(/^v1\/[0-9a-f]{2}\/unit-1\/[0-9a-f]{32}\/320-high\.webp$/);
    const direct = await client.send(new GetObjectCommand({ Bucket: bucket, Key: object?.Key }));
    expect(direct).toMatchObject({
      ContentType: 'image/webp',
      CacheControl: 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
      ETag: made.headers.get('etag'),
      ContentLength: body.byteLength,
      Metadata: {
        'cache-tag': made.headers.get('x-amz-meta-cache-tag'),
        width: '320',
        height: '256',
        effort: 'fast',
        'source-type': 'image/jpeg',
        'source-size': '1024x819',
        recipe: `${RECIPE} viewer`,
        'source-bytes': expect.stringMatching(/^\d+$/),
      },
    });
  });

  it('stores the cached failure of a broken source', async () => {
    const { origin, service } = await setUp();
    for (const width of [160, 320]) {
      expect(await codeOf(await service.request(targetFor(`${origin.url}/gone.jpg`, { width })))).toBe(
        'source_not_found',
      );
    }
    expect(origin.requests).toHaveLength(1);
  });

  it('fetches sources from allowed buckets and from no other', async () => {
    const originals = await createBucket();
    const { photo, service } = await setUp({ SOURCE_ALLOW: `s3://${originals.bucket}/allowed/*` });
    for (const Key of ['allowed/a b&c+ü.jpg', 'other/a.jpg']) {
      await originals.client.send(new PutObjectCommand({ Bucket: originals.bucket, Key, Body: photo }));
    }
    const ask = async (key: string) =>
      service.request(targetFor(`s3://${originals.bucket}/${key}`, { width: 160 }));
    const found = await ask('allowed/a b&c+ü.jpg');
    expect([found.status, found.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(await codeOf(await ask('allowed/b.jpg'))).toBe('source_not_found');
    expect(await codeOf(await ask('other/a.jpg'))).toBe('source_forbidden');
  });

  it('says once, at its start, that the bucket does not exist', async () => {
    const { service } = await setUp({ STORE: 's3://no-such-bucket' });
    await until(() => service.log.some(({ part }) => part === 'store'));
    const told = service.log.filter(({ part }) => part === 'store');
    expect(told).toMatchObject([
      {
        level: 50,
        msg: expect.stringMatching(/^the store that STORE names cannot be used: .* made again/),
        err: {
          message: expect.stringMatching(/^there is no bucket "no-such-bucket": create it, or change STORE/),
        },
      },
    ]);
    const response = await service.request('/readyz');
    expect([response.status, await response.json()]).toMatchObject([503, { checks: { store: 'failed' } }]);
  });

  it('serves an image even if the bucket does not exist', async () => {
    const { origin, service } = await setUp({ STORE: 's3://no-such-bucket' });
    const response = await service.request(targetFor(`${origin.url}/a.jpg`, { width: 160 }));
    expect([response.status, response.headers.get('cache-status')]).toEqual([200, 'edgepress; fwd=miss']);
    // What nobody waits for: the tombstone cannot be read either, so what might have been put is deleted.
    await until(() => service.storeFaults()['delete'] === 1);
    expect(service.storeFaults()).toEqual({ get: 5, put: 1, delete: 1 });
  });
});
