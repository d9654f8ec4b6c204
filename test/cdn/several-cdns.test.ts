import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createCdn } from '../../src/adapters.ts';
import { readConfig } from '../../src/config.ts';
import { type ApiAnswer, startCdnApi } from '../support/cdn-api.ts';
import { startCloudFront } from '../support/cloudfront.ts';

const SIGNED = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

async function startTwo(nearest: ApiAnswer, outer: ApiAnswer) {
  const order: string[] = [];
  const start = (name: string, answer: ApiAnswer) =>
    startCdnApi(() => {
      order.push(name);
      return answer;
    });
  const [near, far] = [await start('near', nearest), await start('far', outer)];
  const cdn = await createCdn(readConfig({ CDN: `${near.endpoint}/purge?key=secret,${far.endpoint}` }));
  return { cdn, order, near, far };
}

describe('several caches in CDN', () => {
  it('are not told of what cannot be a tag', async () => {
    const { cdn, order } = await startTwo({ status: 200 }, { status: 200 });
    await expect(cdn.invalidate(['u 1'])).rejects.toThrow(TypeError);
    expect(order).toEqual([]);
    cdn.close();
  });

  it('are told one after another, the first one first, and each says so, without the query of its URL', async () => {
    const { cdn, order, near, far } = await startTwo({ status: 200 }, { status: 200 });
    expect(await cdn.invalidate(['u-1', 'u-2'])).toEqual([
      { id: new URL(near.endpoint).host, tags: 2, cdn: `${near.endpoint}/purge` },
      { id: new URL(far.endpoint).host, tags: 2, cdn: `${far.endpoint}/` },
    ]);
    expect(order).toEqual(['near', 'far']);
    cdn.close();
  });

  it('are all told although the first one refuses, and the refusal is an error that names those that were told', async () => {
    const { cdn, order, far } = await startTwo({ status: 403 }, { status: 200 });
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(
      new RegExp(`answered 403.*; told all the same: ${far.endpoint}/$`),
    );
    expect(order).toEqual(['near', 'far']);
    cdn.close();
  });

  it('that refuse are all named', async () => {
    const { cdn, near, far } = await startTwo({ status: 403 }, { status: 404 });
    const hosts = [near, far].map(({ endpoint }) => new URL(endpoint).host);
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(
      new RegExp(`${hosts[0]} answered 403: .*; ${hosts[1]} answered 404: (?!.*told all the same)`),
    );
    cdn.close();
  });

  it('wait for what is CloudFront’s only', async () => {
    const cloudFront = await startCloudFront();
    const cache = await startCdnApi(() => ({ status: 200 }));
    for (const [name, value] of Object.entries(SIGNED)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const cdn = await createCdn(
      readConfig({ CDN: `${cache.endpoint},cloudfront:E2EXAMPLE`, CLOUDFRONT_ENDPOINT: cloudFront.endpoint }),
    );
    const invalidations = await cdn.invalidate(['u-1']);
    expect(invalidations.map((one) => one.cdn)).toEqual([`${cache.endpoint}/`, 'cloudfront:E2EXAMPLE']);
    await cdn.wait(invalidations);
    expect(cloudFront.gets().map(({ id }) => id)).toEqual(['I1']);
    cdn.close();
  });
});
