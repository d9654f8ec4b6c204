import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createApiCdn } from '../../src/cdn/api-cdn.ts';
import type { Cdn } from '../../src/cdn/cdn.ts';
import { bunnyApi, cloudflareApi, fastlyApi, httpCacheApi, type PurgeApi } from '../../src/cdn/purge-api.ts';
import { type ApiAnswer, type ApiCall, startCdnApi } from '../support/cdn-api.ts';

const TOKEN = 'token-of-the-api';
const ZONE = '0123456789abcdef0123456789abcdef';

/** Each CDN: its adapter, what it answers to a purge, and where it finds the tags. */
const CDNS = [
  {
    name: 'Cloudflare',
    api: (endpoint: string): PurgeApi => cloudflareApi(ZONE, { token: TOKEN, endpoint }),
    good: { status: 200, body: JSON.stringify({ success: true, errors: [], result: { id: 'cf-1' } }) },
    tagsOf: ({ body }: ApiCall): string[] => JSON.parse(body).tags,
    maxTags: 100,
    id: 'cf-1',
  },
  {
    name: 'Fastly',
    api: (endpoint: string): PurgeApi => fastlyApi('SU1Z0isxPaozGVKXdv0eY', { token: TOKEN, endpoint }),
    good: { status: 200, body: JSON.stringify({ 'u-1': '108-1391560174-974124' }) },
    tagsOf: ({ body }: ApiCall): string[] => JSON.parse(body).surrogate_keys,
    maxTags: 256,
    id: '108-1391560174-974124',
  },
  {
    name: 'Bunny',
    api: (endpoint: string): PurgeApi => bunnyApi('12345', { token: TOKEN, endpoint }),
    good: { status: 204 },
    tagsOf: ({ body }: ApiCall): string[] => [JSON.parse(body).CacheTag],
    maxTags: 1,
    id: 'Bunny',
  },
  {
    name: 'a cache that takes PURGE',
    api: (endpoint: string): PurgeApi => httpCacheApi(new URL(`${endpoint}/purge`), TOKEN),
    good: { status: 200, body: 'purged' },
    tagsOf: ({ headers }: ApiCall): string[] => String(headers['cache-tag']).split(','),
    maxTags: 100,
    id: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  },
];

describe.each(CDNS)('$name', ({ api, good, tagsOf, maxTags, id }) => {
  const start = async (answer: (nth: number, call: ApiCall) => ApiAnswer = () => good) => {
    const { endpoint, calls } = await startCdnApi(answer);
    const cdn = cdnOf(api(endpoint));
    const sent = () => calls.map(tagsOf);
    return { cdn, calls, sent };
  };

  it('is sent the tag, and says what it accepted', async () => {
    const { cdn, sent } = await start();
    const invalidations = await cdn.invalidate(['u-6f0a']);
    expect(invalidations).toEqual([{ id, tags: 1 }]);
    expect(sent()).toEqual([['u-6f0a']]);
    await cdn.wait(invalidations);
  });

  it('is sent nothing when there are no tags, and a tag once that is given twice', async () => {
    const { cdn, sent } = await start();
    expect(await cdn.invalidate([])).toEqual([]);
    await cdn.invalidate(['u-1', 'u-1']);
    expect(sent()).toEqual([['u-1']]);
  });

  it('gets no more tags in a call than it takes', async () => {
    const { cdn, sent } = await start();
    const tags = Array.from({ length: 2 * maxTags + 1 }, (_, index) => `u-${index}`);
    const invalidations = await cdn.invalidate(tags);
    expect(invalidations.map((one) => one.tags)).toEqual([maxTags, maxTags, 1]);
    expect(sent().flat().sort()).toEqual([...tags].sort());
    expect(sent().map((sentTags) => sentTags.length)).toEqual([maxTags, maxTags, 1]);
  });

  it.each(['', 'u 1', 'u-1,u-2', 'ü', 'u-1\r\nx: y', 'u'.repeat(257)])(
    'is sent nothing when one of the tags is none: %j',
    async (tag) => {
      const { cdn, calls } = await start();
      await expect(cdn.invalidate(['u-1', tag])).rejects.toThrow(TypeError);
      expect(calls).toEqual([]);
    },
  );

  it('is asked again after an error of its own, and after a lost connection', async () => {
    const { cdn, sent } = await start((nth) => (nth === 1 ? { status: 502 } : nth === 2 ? undefined : good));
    expect(await cdn.invalidate(['u-1'])).toHaveLength(1);
    expect(sent()).toEqual([['u-1'], ['u-1'], ['u-1']]);
  });

  it('is asked six times, and the error says what it answered', async () => {
    const { cdn, calls } = await start(() => ({ status: 503, body: 'down for\r\n maintenance' }));
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(/answered 503 \(down for maintenance\) to a purge/);
    expect(calls).toHaveLength(6);
  });

  it('is asked for as long as it has no time', async () => {
    const { cdn, calls } = await start((nth) => (nth < 20 ? { status: 429 } : good));
    expect(await cdn.invalidate(['u-1'])).toHaveLength(1);
    expect(calls).toHaveLength(20);
  });

  it('ends to wait when it is closed', async () => {
    let cdn: Cdn | undefined;
    const started = await start(() => {
      cdn?.close();
      return { status: 429, headers: { 'Retry-After': '3600' } };
    });
    cdn = started.cdn;
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow('closed before it had answered');
  });

  it.each([401, 403])('is not asked again after %i, and the error names the variable', async (status) => {
    const { cdn, calls } = await start((_nth, { headers }) => ({
      status,
      body: `no: ${headers['authorization'] ?? headers['fastly-key'] ?? headers['accesskey']}`,
    }));
    const error = await cdn.invalidate(['u-1']).catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(/answered 40[13] \(no: .*\(token\)\): .*CDN_(HTTP|PURGE)_TOKEN/);
    expect(inspect(error, { depth: 9 })).not.toContain(TOKEN);
    expect(calls).toHaveLength(1);
  });

  it('is not asked again when it does not know what is to be purged', async () => {
    const { cdn, calls } = await start(() => ({ status: 404 }));
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(/answered 404: CDN must name/);
    expect(calls).toHaveLength(1);
  });

  it.each([
    [403, 1],
    [503, 6],
  ])('gets no further calls once one has failed for good with %i', async (status, attempts) => {
    const { cdn, calls } = await start(() => ({ status }));
    const tags = Array.from({ length: 50 * maxTags }, (_, index) => `u-${index}`);
    await expect(cdn.invalidate(tags)).rejects.toThrow(`answered ${status}`);
    // Four calls are made at once.
    expect(calls.length).toBeLessThanOrEqual(4 * attempts);
  });

  it('is told again by the next purge after one that failed', async () => {
    const { cdn } = await start((nth) => (nth === 1 ? { status: 403 } : good));
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow('answered 403');
    expect(await cdn.invalidate(['u-1'])).toHaveLength(1);
  });

  it('tries all tags although one call fails, and tells the fault', async () => {
    const { cdn, sent } = await start((_nth, call) =>
      tagsOf(call).includes('u-0') ? { status: 400, body: 'bad' } : good,
    );
    const tags = Array.from({ length: 2 * maxTags }, (_, index) => `u-${index}`);
    await expect(cdn.invalidate(tags)).rejects.toThrow('answered 400 (bad) to a purge');
    expect(sent()).toHaveLength(2);
  });
});

describe('the request', () => {
  const requestTo = async (api: (endpoint: string) => PurgeApi, answer: ApiAnswer) => {
    const { endpoint, calls } = await startCdnApi(() => answer);
    await cdnOf(api(endpoint)).invalidate(['u-1', 'u-2']);
    return calls[0];
  };

  it('to Cloudflare is a purge of the zone by tags, with a bearer token', async () => {
    expect(await requestTo(CDNS[0]?.api as never, CDNS[0]?.good)).toMatchObject({
      method: 'POST',
      path: `/client/v4/zones/${ZONE}/purge_cache`,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{"tags":["u-1","u-2"]}',
    });
  });

  it('to Fastly is a purge of surrogate keys, with the token in Fastly-Key', async () => {
    expect(await requestTo(CDNS[1]?.api as never, CDNS[1]?.good)).toMatchObject({
      method: 'POST',
      path: '/service/SU1Z0isxPaozGVKXdv0eY/purge',
      headers: { 'fastly-key': TOKEN, 'content-type': 'application/json' },
      body: '{"surrogate_keys":["u-1","u-2"]}',
    });
  });

  it('to Bunny is a purge of the pull zone by one tag, with the key in AccessKey', async () => {
    expect(await requestTo(CDNS[2]?.api as never, CDNS[2]?.good)).toMatchObject({
      method: 'POST',
      path: '/pullzone/12345/purgeCache',
      headers: { accesskey: TOKEN, 'content-type': 'application/json' },
      body: '{"CacheTag":"u-1"}',
    });
  });

  it('to a cache is PURGE with the tags in Cache-Tag, and the token if there is one', async () => {
    expect(await requestTo(CDNS[3]?.api as never, CDNS[3]?.good)).toMatchObject({
      method: 'PURGE',
      path: '/purge',
      headers: { 'cache-tag': 'u-1,u-2', authorization: `Bearer ${TOKEN}` },
      body: '',
    });
    const withoutToken = (endpoint: string) => httpCacheApi(new URL(`${endpoint}/purge`), undefined);
    const call = await requestTo(withoutToken, { status: 200 });
    expect(call?.headers).not.toHaveProperty('authorization');
  });
});

it('a refusal that Cloudflare answers with 200 is an error that repeats its reason', async () => {
  const body = JSON.stringify({
    success: false,
    errors: [{ code: 1012, message: `Request must\ncontain ${TOKEN}` }],
  });
  const { endpoint, calls } = await startCdnApi(() => ({ status: 200, body }));
  const cdn = cdnOf(cloudflareApi(ZONE, { token: TOKEN, endpoint }));
  await expect(cdn.invalidate(['u-1'])).rejects.toThrow(
    'Cloudflare did not purge: 1012 Request must contain (token)',
  );
  expect(calls).toHaveLength(1);
});

function cdnOf(api: PurgeApi): Cdn {
  const cdn = createApiCdn(api, { retryDelayMs: 0 });
  onTestFinished(() => cdn.close());
  return cdn;
}
