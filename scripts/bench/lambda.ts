import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { Command } from 'commander';
import sharp from 'sharp';
import { buildLambda } from '../../infra/bundle/build-lambda.ts';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { functionUrlEvent } from '../../test/support/lambda/function-url.ts';
import { type Lambda, startLambda } from '../../test/support/lambda/lambda.ts';
import { startRadosgw } from '../../test/support/setup/radosgw.ts';
import { median, print, timeSeconds } from './harness/measurements.ts';
import { encodeBare, readSources, serveSources } from './harness/sources.ts';
import { withFolder } from './harness/work-files.ts';

/** Node versions of the Lambda runtimes, installed as npm packages. */
const NODE_VERSIONS = ['22', '24'];
const BOOTS = 7;
const WIDTH = 1080;
const WARM_UPS = 3;

export function lambdaCommand(): Command {
  return new Command('lambda')
    .description('boot the image function as Lambda does: cold starts, and warm misses against bare sharp')
    .argument('<folder>', 'with photographs of one megapixel and more')
    .action(measureLambda);
}

/**
 * The image function as Lambda boots it: the times to start and to answer a first request, a hit or a miss, on each Node version;
 * then warm misses against a bare fetch and sharp, one after the other, in the same run.
 */
async function measureLambda(folder: string): Promise<void> {
  const s3 = await startRadosgw();
  await withFolder(tmpdir(), async (workFolder) => {
    const artifact = join(workFolder, 'artifact');
    mkdirSync(artifact);
    buildLambda(artifact, { cpu: process.arch === 'arm64' ? 'arm64' : 'x64' });
    const sources = await readSources(folder, 1);
    const origin = await serveSources(sources);
    const { endpoint, accessKeyId, secretAccessKey } = s3.server;
    const client = createS3Client({ endpoint, credentials: { accessKeyId, secretAccessKey } });
    await client.send(new CreateBucketCommand({ Bucket: 'bench' }));
    client.destroy();
    const env = {
      STORE: 's3://bench',
      S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      SOURCE_ALLOW_PRIVATE: origin.authority,
      CONCURRENCY: '1',
      UV_THREADPOOL_SIZE: '16',
      MALLOC_ARENA_MAX: '2',
    };
    const boot = (node: string) =>
      startLambda({ folder: artifact, handler: 'lambda-image.handler', env, node });
    for (const version of NODE_VERSIONS)
      await measureColdStarts(version, installNode(workFolder, version), boot, origin.authority);
    await measureWarmMisses(await boot(process.execPath), sources.length, origin.authority);
    origin.close();
  });
  await s3.stop();
}

/** @returns the path of the installed `node` */
function installNode(workFolder: string, version: string): string {
  const prefix = join(workFolder, `node-${version}`);
  mkdirSync(prefix);
  const name = `node-linux-${process.arch}`;
  execFileSync('npm', ['install', '--silent', '--prefix', prefix, `${name}@${version}`]);
  return join(prefix, 'node_modules', name, 'bin/node');
}

async function measureColdStarts(
  version: string,
  node: string,
  boot: (node: string) => Promise<Lambda>,
  authority: string,
): Promise<void> {
  const times = { init: [] as number[], hit: [] as number[], miss: [] as number[] };
  for (let round = 0; round <= BOOTS; round++) {
    for (const kind of ['miss', 'hit'] as const) {
      const lambda = await boot(node);
      const ms = await request(lambda, `http://${authority}/0?cold=${version}-${round}`, kind);
      await lambda.stop();
      // The first round warms up the disk cache.
      if (round === 0) continue;
      times.init.push(lambda.initMs);
      times[kind].push(ms);
    }
  }
  const [init, hit, miss] = [times.init, times.hit, times.miss].map((all) => median(all).toFixed(0));
  print(`Node ${version}: init ${init} ms; first request after it: hit ${hit} ms, miss ${miss} ms`);
}

async function measureWarmMisses(lambda: Lambda, sources: number, authority: string): Promise<void> {
  sharp.concurrency(1);
  sharp.cache(false);
  const total = { bare: 0, lambda: 0 };
  for (let index = -WARM_UPS; index < sources; index++) {
    const url = `http://${authority}/${Math.max(index, 0)}?warm=${index}`;
    const bare = await timeMs(() => fetchAndEncode(url));
    const inLambda = await request(lambda, url, 'miss');
    if (index < 0) continue;
    total.bare += bare;
    total.lambda += inLambda;
  }
  await lambda.stop();
  const [bare, inLambda] = [total.bare / sources, total.lambda / sources];
  print(
    `warm misses, ${sources} photographs at ${WIDTH} px: ${inLambda.toFixed(0)} ms in the function, ` +
      `${bare.toFixed(0)} ms bare fetch and sharp: ${(inLambda / bare).toFixed(2)} of it, ` +
      `${(inLambda - bare).toFixed(0)} ms more`,
  );
}

/** @returns the milliseconds that the request takes; throws unless it is a hit or miss as expected */
async function request(lambda: Lambda, src: string, expected: 'hit' | 'miss'): Promise<number> {
  const variant = { unit: 'bench', src, width: WIDTH, tier: 'balanced', format: 'avif' } as const;
  const target = `/u/bench?src=${encodeURIComponent(src)}`;
  const r = Buffer.from(target).toString('base64url');
  const event = functionUrlEvent('GET', `/${variantAddress(variant, sha256).key}?r=${r}`);
  return await timeMs(async () => {
    const { headers } = await lambda.invoke<{ headers: Record<string, string> }>(event);
    const status = headers['cache-status'] ?? '';
    if (!status.includes(expected)) throw new Error(`expected a ${expected}: ${JSON.stringify(headers)}`);
  });
}

async function fetchAndEncode(url: string): Promise<void> {
  await encodeBare(await (await fetch(url)).arrayBuffer(), WIDTH);
}

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  return (await timeSeconds(work)) * 1000;
}
