import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildWorkerImage } from '../../../infra/bundle/build-worker-image.ts';
import { sha256 } from '../../../src/hashing.ts';
import { unitAddress } from '../../../src/protocol/keys.ts';
import { encodeMessage, packJobs } from '../../../src/queue/message.ts';
import { createSqsApi } from '../../../src/queue/sqs-api.ts';
import { createS3Store } from '../../../src/store/s3-store.ts';
import { encodeManifest, manifestOf } from '../../../src/unit/manifest.ts';
import { startOrigin } from '../../support/http/service.ts';
import { applyDockerfile, type ContainerProgram } from '../../support/infra/dockerfile.ts';
import { createStoreEnvironment } from '../../support/lambda/artifact.ts';
import { photograph } from '../../support/pictures.ts';
import { runExecutable } from '../../support/program.ts';
import { createTestQueue } from '../../support/queue/sqs.ts';
import { describeS3 } from '../../support/store/bucket.ts';

// Without Docker: the steps of the Dockerfile are done in a folder, and its command is run there, with the Node of this machine.
describeS3('the image of the workers', () => {
  const folders: string[] = [];
  const createFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgepress-image-'));
    folders.push(folder);
    return folder;
  };
  let program: ContainerProgram;
  beforeAll(async () => {
    const [context, root] = [await createFolder(), await createFolder()];
    buildWorkerImage(context, { cpu: process.arch === 'arm64' ? 'arm64' : 'x64' });
    program = await applyDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8'), { context, root });
  });
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it('runs Node itself, which gets the signals, and not as root', () => {
    expect(program.command[0]).toBe('node');
    expect(program.user).toBe('node');
  });

  it('makes the variants of units on the queue, and ends on SIGTERM', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { bucket, client, env } = await createStoreEnvironment();
    const { url, client: sqs } = await createTestQueue();
    const store = createS3Store({ bucket, client });
    // The queue of these tests answers at once when it has as many messages as a server with nothing to do asks for.
    const ids = ['unit-1', 'unit-2', 'unit-3'];
    for (const id of ids) {
      const images = [{ src: `${origin.url}/${id}.jpg` }];
      const unit = { id, images, widths: [160], tiers: ['balanced'], formats: ['webp'] } as const;
      const manifest = encodeManifest(manifestOf(unit, { atMs: Date.now(), lastPurgeMs: 0 }));
      await store.put(unitAddress(id, sha256).manifestKey, manifest, { contentType: 'application/json' });
    }
    const messages = ids
      .flatMap((unit) => packJobs([{ unit, images: 1, retry: false }]))
      .map((message) => ({ body: encodeMessage(message), group: undefined }));
    await createSqsApi({ url, client: sqs }).send(messages, 0);

    const [, ...args] = program.command;
    const worker = runExecutable(
      process.execPath,
      args,
      {
        ...program.env,
        ...env,
        PORT: '0',
        AWS_REGION: 'us-east-1',
        PREWARM_EFFORT: 'fast',
        QUEUE: url,
        SQS_ENDPOINT: new URL(url).origin,
        SOURCE_ALLOW_PRIVATE: origin.authority,
      },
      program.cwd,
    );
    for (const id of ids) await worker.printed(new RegExp(`"unit":"${id}".*"state":"ready"`));
    const keys: string[] = [];
    for await (const { key } of store.list(unitAddress('unit-3', sha256).folder)) keys.push(key);
    expect(keys).toContainEqual(expect.stringMatching(/160-balanced\.webp$/));
    worker.process.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });
});
