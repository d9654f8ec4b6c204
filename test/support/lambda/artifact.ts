import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { buildLambda } from '../../../infra/bundle/build-lambda.ts';
import { sha256 } from '../../../src/hashing.ts';
import { type VariantName, variantAddress } from '../../../src/protocol/keys.ts';
import { createBucket, s3Server } from '../store/bucket.ts';
import { type Lambda, startLambda } from './lambda.ts';

/** Builds the code of the functions for this machine, in a folder that the caller removes. */
export async function buildArtifact(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-lambda-'));
  buildLambda(folder, { cpu: process.arch === 'arm64' ? 'arm64' : 'x64' });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Creates a bucket, and returns it with the environment of functions that have it as their store. */
export async function createStoreEnvironment() {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  const { bucket, client } = await createBucket();
  const env = {
    STORE: `s3://${bucket}`,
    S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    CONCURRENCY: '1',
  };
  return { bucket, client, env };
}

/** Starts one of the functions; it is stopped when the test ends. */
export async function bootFunction(
  folder: string,
  name: 'lambda-image' | 'lambda-worker',
  env: Record<string, string>,
): Promise<Lambda> {
  const lambda = await startLambda({ folder, handler: `${name}.handler`, env });
  onTestFinished(() => lambda.stop());
  return lambda;
}

/** Returns the request target that the function gets from the edge for a variant; `sent` is the target that the viewer sent. */
export function forwardedTarget(name: VariantName, sent: string): string {
  const { key } = variantAddress(name, sha256);
  return `/${key}?r=${Buffer.from(sent).toString('base64url')}`;
}
