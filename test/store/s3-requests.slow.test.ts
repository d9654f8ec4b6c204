import { expect, it, vi } from 'vitest';
import { runCommandInProcess } from '../support/command.ts';
import { startOrigin, startService, targetFor } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';
import { startCountingProxy } from '../support/store/counting-proxy.ts';

/** A bucket behind a proxy that counts, and a source. */
async function setUp() {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  const { bucket } = await createBucket();
  const proxy = await startCountingProxy(endpoint);
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const env = {
    ...{ STORE: `s3://${bucket}`, S3_ENDPOINT: proxy.url, SOURCE_ALLOW_PRIVATE: origin.authority },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, PREWARM_WIDTHS: '160' },
  };
  return { proxy, origin, env };
}

// The numbers are those of the table in docs/store.md.
describeS3('The requests to S3', () => {
  it('of a command about five images of two variants are few', async () => {
    const { proxy, origin, env } = await setUp();
    const images = Array.from({ length: 5 }, (_, index) => `${origin.url}/${index}.jpg`);
    const requestsOf = async (args: string[], input = '') => {
      expect((await runCommandInProcess(args, env, input)).status).toBe(0);
      return proxy.take();
    };
    const unit = JSON.stringify({ id: 'unit-1', images });
    const counts = {
      prewarm: await requestsOf(['prewarm', '-'], unit),
      again: await requestsOf(['prewarm', '-'], unit),
      status: await requestsOf(['status', 'unit-1']),
      purge: await requestsOf(['purge', 'unit-1']),
    };
    expect(counts).toMatchObject({
      prewarm: { LIST: 1, HEAD: 2, GET: 11, PUT: 12 },
      again: { LIST: 1, HEAD: 12, GET: 6, PUT: 2 },
      status: { LIST: 2, HEAD: 10, GET: 1 },
      // What was stored just before is looked at: how much that is depends on the time.
      purge: { LIST: 1 },
    });
  });

  it('of a viewer are two for a hit: the variant and the tombstone', async () => {
    const { proxy, origin, env } = await setUp();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const) vi.stubEnv(name, env[name]);
    const service = await startService(env);
    const requestsOf = async (path: string) => {
      proxy.take();
      await (await service.request(await targetFor(`${origin.url}${path}`, { width: 160 }))).arrayBuffer();
      // The server lists its queue and sweeps when it likes.
      const { LIST: _lists, ...counts } = proxy.take();
      return counts;
    };
    await requestsOf('/first.jpg');
    expect(await requestsOf('/a.jpg')).toEqual({ GET: 5, PUT: 1 });
    expect(await requestsOf('/a.jpg')).toEqual({ GET: 2 });
  });
});
