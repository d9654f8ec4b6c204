import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { buildLambda } from '../../../infra/bundle/build-lambda.ts';
import { createS3Client } from '../../../src/store/s3-client.ts';
import { type Lambda, startLambda } from '../../../test/support/lambda/lambda.ts';
import { type S3Server, startRadosgw } from '../../../test/support/setup/radosgw.ts';
import { type BenchSource, serveSources } from '../harness/sources.ts';
import { withFolder } from '../harness/work-files.ts';

const BUCKET = 'bench';

/** The built image function with what it needs. */
export interface LambdaEnvironment {
  /** Where the sources are served. */
  authority: string;
  /** A folder that is deleted afterwards. */
  workFolder: string;
  /**
   * Starts the function as Lambda does.
   *
   * @param node - the program. Default: the Node that runs this
   */
  boot(node?: string): Promise<Lambda>;
}

/** Builds the image function, and starts an S3 server and one of the sources, for as long as the work runs. */
export async function withLambda(
  sources: readonly BenchSource[],
  work: (environment: LambdaEnvironment) => Promise<void>,
): Promise<void> {
  const s3 = await startRadosgw();
  const origin = await serveSources(sources);
  await withFolder(tmpdir(), async (workFolder) => {
    const artifact = join(workFolder, 'artifact');
    mkdirSync(artifact);
    buildLambda(artifact, { cpu: process.arch === 'arm64' ? 'arm64' : 'x64' });
    await createBucket(s3.server);
    const env = {
      STORE: `s3://${BUCKET}`,
      S3_ENDPOINT: s3.server.endpoint,
      AWS_ACCESS_KEY_ID: s3.server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.server.secretAccessKey,
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      UV_THREADPOOL_SIZE: '16',
      MALLOC_ARENA_MAX: '2',
    };
    await work({
      authority: origin.authority,
      workFolder,
      boot: (node = process.execPath) =>
        startLambda({ folder: artifact, handler: 'lambda-image.handler', env, node }),
    });
  });
  origin.close();
  await s3.stop();
}

async function createBucket({ endpoint, accessKeyId, secretAccessKey }: S3Server): Promise<void> {
  const client = createS3Client({ endpoint, credentials: { accessKeyId, secretAccessKey } });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}
