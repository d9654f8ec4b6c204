import { randomUUID } from 'node:crypto';
import {
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  ListBucketsCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createS3Client } from '../../../src/store/s3-client.ts';
import type { RunningS3Server, S3Server } from './radosgw.ts';

/**
 * Returns the S3 server that `TEST_S3_ENDPOINT` and its companions name, in place of one that is started; `undefined` if they do not.
 * Its `stop` removes the buckets that tests have created there, with all that is in them.
 *
 * @throws Error naming the variable that is missing
 */
export function otherS3(env: NodeJS.ProcessEnv): RunningS3Server | undefined {
  const endpoint = env['TEST_S3_ENDPOINT'];
  if (endpoint === undefined) return undefined;
  const required = (name: string) => {
    const value = env[name];
    if (!value) throw new Error(`TEST_S3_ENDPOINT needs ${name}, too`);
    return value;
  };
  const bucket = env['TEST_S3_BUCKET'];
  const server: S3Server = {
    endpoint,
    accessKeyId: required('TEST_S3_ACCESS_KEY_ID'),
    secretAccessKey: required('TEST_S3_SECRET_ACCESS_KEY'),
    bucketPrefix: `edgepress-${randomUUID().slice(0, 8)}-`,
    ...(bucket && { bucket }),
  };
  return { server, stop: () => removeBuckets(server) };
}

async function removeBuckets({ endpoint, bucketPrefix, ...credentials }: S3Server): Promise<void> {
  const client = createS3Client({ endpoint, credentials });
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  for (const { Name: bucket = '' } of Buckets) {
    if (!bucket.startsWith(bucketPrefix)) continue;
    await removeBucket(client, bucket).catch((error: unknown) =>
      process.stderr.write(`The bucket ${bucket} is left: ${error}\n`),
    );
  }
  client.destroy();
}

async function removeBucket(client: S3Client, Bucket: string): Promise<void> {
  // A policy may keep its owner from listing, too.
  await client.send(new DeleteBucketPolicyCommand({ Bucket })).catch(() => undefined);
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    await Promise.all(Contents.map(({ Key }) => client.send(new DeleteObjectCommand({ Bucket, Key }))));
  }
  await client.send(new DeleteBucketCommand({ Bucket }));
}
