import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../../src/store/s3-client.ts';
import { startRadosgw } from '../../../test/support/setup/radosgw.ts';
import { startServer, startService } from '../harness/processes.ts';
import { compareHits, type HitsOptions, kilobytesOf } from './compare-hits.ts';
import { storeVariants } from './stored-variants.ts';

const BUCKET = 'bench';

/**
 * Prints lines of hits in an S3 store, Ceph's on this machine, against a server that gets the same object from it for each request, and
 * nothing else: a hit also gets the tombstone of its unit, which shows at once that another process has purged it.
 *
 * @param authority - where the sources are served
 */
export async function measureS3Hits(
  urls: readonly string[],
  authority: string,
  options: HitsOptions,
): Promise<void> {
  const s3 = await startRadosgw();
  const { endpoint, accessKeyId, secretAccessKey } = s3.server;
  const client = createS3Client({ endpoint, credentials: { accessKeyId, secretAccessKey } });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const access = {
    S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const service = await startService({ STORE: `s3://${BUCKET}`, SOURCE_ALLOW_PRIVATE: authority, ...access });
  const sizes = options.kilobytes.map((size) => size * 1000);
  for (const { url, body, headers } of await storeVariants(service.url, urls, sizes)) {
    const bare = await startServer('scripts/bench/harness/bare-s3-server.ts', {
      ...access,
      BUCKET,
      KEY: await keyOf(client, headers['etag']),
      HEADERS: JSON.stringify(headers),
    });
    const servers = [
      { name: 'edgepress', server: { ...service, url } },
      { name: 'node:http with one GetObject, without a log', server: bare },
    ];
    await compareHits(`hit in S3: ${kilobytesOf(body)}`, servers, options);
    await bare.stop();
  }
  await service.stop();
  client.destroy();
  await s3.stop();
}

/** @throws Error if the bucket has no object with this ETag among its first thousand */
async function keyOf(client: S3Client, etag: string | undefined): Promise<string> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const key = Contents.find(({ ETag }) => ETag === etag)?.Key;
  if (key === undefined) throw new Error(`no object has the ETag ${etag}`);
  return key;
}
