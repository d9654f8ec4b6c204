import { expect, it } from 'vitest';
import { createCdn } from '../../src/adapters.ts';
import { readConfig } from '../../src/config.ts';
import { startCdnApi } from '../support/cdn-api.ts';

const ZONE = '0123456789abcdef0123456789abcdef';

it.each([
  [`cloudflare:${ZONE}`, `/client/v4/zones/${ZONE}/purge_cache`, 'authorization', 'Bearer token-1234'],
  ['fastly:SU1Z0isx', '/service/SU1Z0isx/purge', 'fastly-key', 'token-1234'],
  ['bunny:12345', '/pullzone/12345/purgeCache', 'accesskey', 'token-1234'],
])(
  'CDN=%s calls the server that CDN_ENDPOINT names, with the token of CDN_PURGE_TOKEN',
  async (location, path, header, token) => {
    const { endpoint, calls } = await startCdnApi(() => ({ status: 200, body: '{"success":true}' }));
    const env = { CDN: location, CDN_PURGE_TOKEN: 'token-1234', CDN_ENDPOINT: endpoint };
    const cdn = await createCdn(readConfig(env));
    expect(await cdn.invalidate(['u-1'])).toHaveLength(1);
    expect(calls).toMatchObject([{ path, headers: { [header]: token } }]);
    cdn.close();
  },
);

it('a URL in CDN is called with the token of CDN_HTTP_TOKEN', async () => {
  const { endpoint, calls } = await startCdnApi(() => ({ status: 200 }));
  const cdn = await createCdn(readConfig({ CDN: `${endpoint}/x?y=1`, CDN_HTTP_TOKEN: 'token-5678' }));
  await cdn.invalidate(['u-1']);
  expect(calls).toMatchObject([
    { method: 'PURGE', path: '/x?y=1', headers: { authorization: 'Bearer token-5678' } },
  ]);
  cdn.close();
});
