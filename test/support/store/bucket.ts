import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { createS3Client } from '../../../src/store/s3-client.ts';
import { prepared } from '../setup/prepared.ts';
import type { S3Server } from '../setup/radosgw.ts';

const s3 = await prepared('s3');

/** The S3 server of this test run. To be called only in tests within `describeS3`. */
export function s3Server(): S3Server {
  if ('missing' in s3) throw new Error(`no S3: ${s3.missing}`);
  return s3;
}

/** Creates an empty bucket, and a client for it. Where tests may create none it is the one of all tests, which may have objects of others. */
export async function createBucket(): Promise<{ bucket: string; client: S3Client }> {
  const { endpoint, bucketPrefix, bucket: shared, ...credentials } = s3Server();
  const client = createS3Client({ endpoint, credentials });
  if (shared !== undefined) return { bucket: shared, client };
  const bucket = `${bucketPrefix}${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return { bucket, client };
}

/** `describe` for tests that need S3. Without an S3 server they are skipped, and their title says why. */
export function describeS3(name: string, tests: () => void): void {
  if ('missing' in s3) describe.skip(`${name} — skipped, ${s3.missing}`, tests);
  else describe(name, tests);
}
