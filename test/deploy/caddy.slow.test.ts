import { describe, expect, it } from 'vitest';
import { oddTargets } from '../support/deploy/odd-targets.ts';
import { ADMIN_TOKEN, startProxied } from '../support/deploy/proxies.ts';
import { KEYS_TEXT } from '../support/edge/requests.ts';
import { startOrigin } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { prepared } from '../support/setup/prepared.ts';

describe.skipIf(await prepared('deploy'))('caddy in front', () => {
  it('passes on images by the bytes that were signed, and nothing that operators use', async () => {
    const picture = await photograph();
    const origin = await startOrigin((_request, response) => response.end(picture));
    const { get, reached } = await startProxied('caddy', {
      SOURCE_ALLOW_PRIVATE: origin.authority,
      SIGNING_KEYS: KEYS_TEXT,
    });
    const targets = oddTargets(`${origin.url}/photo.jpg`);
    for (const target of targets) {
      const { status, headers } = await get(target, { accept: '*/*' });
      expect([target, status, headers['content-type']]).toEqual([target, 200, 'image/webp']);
      expect((await get(`${target}x`)).status).toBe(403);
    }
    expect(reached()).toBe(2 * targets.length);
    const part = await get(targets[0] ?? '', { range: 'bytes=0-9' });
    expect([part.status, part.body.length]).toEqual([206, 10]);
    for (const path of ['/', '/units', '/metrics', '/u/../units', '//units']) {
      const { status } = await get(path, { authorization: `Bearer ${ADMIN_TOKEN}` });
      expect([path, status >= 400 || status === 308]).toEqual([path, true]);
    }
    expect((await get('/healthz')).status).toBe(200);
  });
});
