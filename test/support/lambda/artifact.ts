import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { buildLambda } from '../../../infra/bundle/build-lambda.ts';
import { sha256 } from '../../../src/hashing.ts';
import { type VariantName, variantAddress } from '../../../src/protocol/keys.ts';
import { createBucket, s3Server } from '../setup/bucket.ts';
import { type Lambda, startLambda } from './lambda.ts';

/** Builds what Lambda runs, for this machine. Whoever asks removes it. */
export async function buildArtifact(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-lambda-'));
  buildLambda(folder, { cpu: process.arch === 'arm64' ? 'arm64' : 'x64' });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A bucket, and the environment of functions that have it as their store. */
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

/** Boots one of the functions, which ends with the test. */
export async function bootFunction(
  folder: string,
  name: 'lambda-image' | 'lambda-worker',
  env: Record<string, string>,
): Promise<Lambda> {
  const lambda = await startLambda({ folder, handler: `${name}.handler`, env });
  onTestFinished(() => lambda.stop());
  return lambda;
}

/** What the edge makes of a request for a variant: the target that reaches the function. */
export function forwarded(name: VariantName, sent: string): string {
  const { key } = variantAddress(name, sha256);
  return `/${key}?r=${Buffer.from(sent).toString('base64url')}`;
}
