import { describe, expect, it } from 'vitest';
import { hashOf } from '../support/http/operator.ts';
import { setUpPhotograph } from '../support/http/service.ts';

const NAMES = ['cache-tag', 'surrogate-key', 'cdn-tag', 'xkey'];
const TOKEN = { CDN_PURGE_TOKEN: 'token-1234' };

describe('the cache tags of an image', () => {
  it.each([
    ['none', {}, {}],
    ['CloudFront', { CDN: 'cloudfront:E2EXAMPLE' }, {}],
    ['Cloudflare', { CDN: `cloudflare:${'0'.repeat(32)}`, ...TOKEN }, { 'cache-tag': ',' }],
    ['Fastly', { CDN: 'fastly:SU1Z0isx', ...TOKEN }, { 'surrogate-key': ' ' }],
    ['Bunny', { CDN: 'bunny:12345', ...TOKEN }, { 'cdn-tag': ',' }],
    ['a cache of your own', { CDN: 'http://127.0.0.1:8081/purge' }, { xkey: ' ' }],
    ['two', { CDN: 'http://127.0.0.1:8081/purge,bunny:1', ...TOKEN }, { xkey: ' ', 'cdn-tag': ',' }],
  ])('are in the header that the CDN reads, when it is %s', async (_name, env, separators) => {
    const { service, target } = await setUpPhotograph(env);
    for (const cacheStatus of ['edgepress; fwd=miss; stored', 'edgepress; hit', 'edgepress; hit']) {
      const response = await service.request(target({ unit: 'unit-1' }));
      expect(response.headers.get('cache-status')).toBe(cacheStatus);
      const tags = response.headers.get('x-amz-meta-cache-tag')?.split(',') ?? [];
      expect(tags[0]).toBe(`u-${hashOf('unit-1')}`);
      const found = NAMES.filter((name) => response.headers.has(name));
      expect(found.sort()).toEqual(Object.keys(separators).sort());
      for (const [name, separator] of Object.entries(separators))
        expect(response.headers.get(name)).toBe(tags.join(separator));
    }
  });
});
