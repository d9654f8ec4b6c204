import { expect, it, vi } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress, unitStateKey } from '../../src/protocol/keys.ts';
import { splitJob } from '../../src/queue/split-jobs.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import type { UnitStatus } from '../../src/unit/status.ts';
import type { Unit } from '../../src/unit/unit.ts';
import { runCommandInProcess } from '../support/command.ts';
import { startOrigin, startService, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';
import { startCountingProxy } from '../support/store/counting-proxy.ts';

/** A bucket behind a proxy that counts, and a source. */
async function setUp() {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  const { bucket, client } = await createBucket();
  const proxy = await startCountingProxy(endpoint);
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const env = {
    ...{ STORE: `s3://${bucket}`, S3_ENDPOINT: proxy.url, SOURCE_ALLOW_PRIVATE: origin.authority },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, PREWARM_WIDTHS: '160' },
    PREWARM_EFFORT: 'fast',
  };
  const store = createS3Store({ bucket, client });
  const images = Array.from({ length: 5 }, (_, index) => `${origin.url}/${index}.jpg`);
  /** Runs a command. Returns what it has printed, and its requests. */
  async function run(args: string[], input = '') {
    proxy.take();
    const { status, stdout } = await runCommandInProcess(args, env, input);
    expect(status).toBe(0);
    return { stdout, requests: { HEAD: 0, ...proxy.take() } };
  }
  return { proxy, origin, env, images, run, store };
}

// The numbers are those of the table in docs/store.md.
describeS3('The requests to S3', () => {
  it('of a command about five images of two variants are few', async () => {
    const { images, run } = await setUp();
    const requestsOf = async (args: string[], input = '') => (await run(args, input)).requests;
    const unit = JSON.stringify({ id: 'unit-1', images });
    const counts = {
      prewarm: await requestsOf(['prewarm', '-'], unit),
      again: await requestsOf(['prewarm', '-'], unit),
      status: await requestsOf(['status', 'unit-1']),
      purge: await requestsOf(['purge', 'unit-1']),
    };
    expect(counts).toMatchObject({
      prewarm: { LIST: 1, HEAD: 2, GET: 11, PUT: 12 },
      again: { LIST: 1, HEAD: 2, GET: 7, PUT: 2 },
      status: { LIST: 2, HEAD: 0, GET: 2 },
      // What was stored just before is looked at: how much that is depends on the time.
      purge: { LIST: 1 },
    });
  });

  it('about variants that are not those of the last work on their unit are one more for each, and nothing is taken for granted', async () => {
    const { images, run, store } = await setUp();
    await run(['prewarm', '-'], JSON.stringify({ id: 'unit-1', images }));
    const statusOf = async () => {
      const { stdout, requests } = await run(['status', 'unit-1', '--json']);
      return { requests, ...(JSON.parse(stdout) as UnitStatus) };
    };
    const before = await statusOf();
    expect(before.requests).toMatchObject({ HEAD: 0 });
    const { folder } = unitAddress('unit-1', sha256);
    const keys: string[] = [];
    for await (const { key } of store.list(folder)) if (key.endsWith('.webp')) keys.push(key);
    const [changed = '', removed = ''] = keys;
    const body = new Uint8Array(await photograph());
    const metadata = { effort: 'fast', 'source-bytes': '4711' };
    await store.put(changed, body, { contentType: 'image/jpeg', metadata });
    await store.delete([removed]);
    const after = await statusOf();
    expect(after.requests).toMatchObject({ HEAD: 1 });
    expect(after.totals).toMatchObject({ ready: 4, pending: 1 });
    const variants = after.images.flatMap((image) => (image.state === 'ready' ? image.variants : []));
    const isNew = ({ bytes }: { bytes: number }) => bytes === body.byteLength;
    expect(variants.filter(isNew)).toMatchObject([{ type: 'image/jpeg', effort: 'fast' }]);

    const mark = unitStateKey('ready', 'unit-1', sha256);
    for (const content of ['', '{"variants":[{}]}']) {
      await store.put(mark, new TextEncoder().encode(content), { contentType: 'text/plain' });
      const { requests, ...status } = await statusOf();
      expect(requests).toMatchObject({ HEAD: 9 });
      expect(status).toEqual({ ...after, requests: undefined });
    }
  });

  it('of the status of a large unit whose images were divided between jobs are few', async () => {
    const { env, images, run } = await setUp();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const) vi.stubEnv(name, env[name]);
    const { unitServices } = await startService(env);
    const many = Array.from({ length: 60 }, (_, index) => ({ src: images[index % 5] ?? '' }));
    const unit: Unit = { id: 'large', images: many, widths: [160], tiers: ['balanced'], formats: ['webp'] };
    const job = await unitServices.units.submit(unit, { retry: false });
    for (const part of splitJob(job)) await unitServices.processJob(part, () => {});
    expect((await run(['status', 'large'])).requests).toMatchObject({ HEAD: 0 });
  });

  it('of a viewer are two for a hit: the variant and the tombstone', async () => {
    const { proxy, origin, env } = await setUp();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const) vi.stubEnv(name, env[name]);
    const service = await startService(env);
    const requestsOf = async (path: string) => {
      proxy.take();
      await (await service.request(targetFor(`${origin.url}${path}`, { width: 160 }))).arrayBuffer();
      // The server lists its queue and sweeps when it likes.
      const { LIST: _lists, ...counts } = proxy.take();
      return counts;
    };
    await requestsOf('/first.jpg');
    expect(await requestsOf('/a.jpg')).toEqual({ GET: 5, PUT: 1 });
    expect(await requestsOf('/a.jpg')).toEqual({ GET: 2 });
  });
});
