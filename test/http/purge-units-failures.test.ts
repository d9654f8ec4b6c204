import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type CloudFrontStubOptions,
  credentials,
  DISTRIBUTION,
  startCloudFront,
} from '../support/cloudfront.ts';
import { filesIn, hashOf, startWithUnits } from '../support/http/operator.ts';
import { STORE_FAILURE } from '../support/store/failing-store.ts';

describe('POST /units/purge while the store fails', () => {
  it.each([
    ['tombstones cannot be stored', /^purged\//, 'nothing was removed', 0],
    ['a unit cannot be listed', /^v1\/..\/unlucky/, 'Not all of this could be removed', 2],
  ])('does what it can and asks to send the same again if %s', async (_what, failing, detail, tombstones) => {
    const { adminRequest, service, root } = await startWithUnits([], {}, failing);
    const before = service.log.length;
    const response = await adminRequest('POST', '/units/purge', '{"ids":["unlucky","lucky"]}');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    const text = await response.text();
    const problem = JSON.parse(text);
    expect(problem).toMatchObject({ code: 'overloaded', detail: expect.stringContaining(detail) });
    expect(problem.detail).toMatch(/send the same again, which is safe/);
    expect(text).not.toMatch(/fire|10\.0\.0/);
    expect(await filesIn(root)).toHaveLength(tombstones);
    expect(service.log.slice(before)).toMatchObject([
      { msg: 'request', reason: expect.stringContaining(STORE_FAILURE) },
    ]);
  });
});

describe('A purge with a parameter in its query', () => {
  it.each([
    ['DELETE', '/units/unit-1?dryRun=1', undefined],
    ['POST', '/units/purge?dryRun=1', '{"ids":["unit-1"]}'],
  ])('is refused, and purges nothing: %s %s', async (method, target, body) => {
    const { adminRequest, root } = await startWithUnits(['unit-1']);
    const before = await filesIn(root);
    const response = await adminRequest(method, target, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'dryRun' });
    expect(await filesIn(root)).toEqual(before);
  });
});

describe('A purge with CloudFront as the CDN', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function setUpCdn(ids: readonly string[], options: CloudFrontStubOptions = {}) {
    vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
    const cloudFront = await startCloudFront(options);
    const cdn = { CDN: `cloudfront:${DISTRIBUTION}`, CLOUDFRONT_ENDPOINT: cloudFront.endpoint };
    return { cloudFront, ...(await startWithUnits(ids, cdn)) };
  }

  it('invalidates the cache tags of all units with one call and returns its id', async () => {
    const { cloudFront, adminRequest } = await setUpCdn(['unit-1', 'unit-2']);
    const one = await (await adminRequest('DELETE', '/units/unit-1')).json();
    expect(one).toMatchObject({ id: 'unit-1', objects: 3, invalidations: [{ id: 'I1', tags: 1 }] });
    expect(one).not.toHaveProperty('notTold');
    const body = '{"ids":["unit-1","unit-2"]}';
    const two = await (await adminRequest('POST', '/units/purge', body)).json();
    expect(two).toMatchObject({ invalidations: [{ id: 'I2', tags: 2 }] });
    const tags = ['unit-1', 'unit-2'].map((id) => `#u-${hashOf(id)}`);
    expect(cloudFront.invalidations()).toEqual([tags.slice(0, 1), tags]);
  });

  it('answers 503 if CloudFront denies access, and only the log says which permission is missing', async () => {
    const secret = 'User: arn:aws:iam::123456789012:user/edge is not authorized';
    let refused = true;
    const { adminRequest, root, service, cloudFront } = await setUpCdn(['unit-1'], {
      fault: () => (refused ? { status: 403, code: 'AccessDenied', message: secret } : undefined),
    });
    for (const [method, target, body, removed] of [
      ['DELETE', '/units/unit-1', undefined, /3 objects, [1-9]\d* bytes/],
      ['POST', '/units/purge', '{"ids":["unit-1"]}', /0 objects, 0 bytes/],
    ] as const) {
      const response = await adminRequest(method, target, body);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({
        code: 'overloaded',
        detail: expect.stringMatching(
          /Nothing of this is left in the store, but the CDN.*send the same again/,
        ),
      });
      expect(text).toMatch(removed);
      expect(text).toContain(`(cache tags u-${hashOf('unit-1')})`);
      expect(text).not.toMatch(/arn:|AccessDenied|E2EXAMPLE|authorized/);
    }
    expect(await filesIn(root)).toEqual([hashOf('unit-1')]);
    const reasons = service.log.flatMap(({ reason }) => (typeof reason === 'string' ? [reason] : []));
    expect(reasons.at(-1)).toMatch(/cloudfront:CreateInvalidation.*arn:aws/);
    refused = false;
    const again = await (await adminRequest('DELETE', '/units/unit-1')).json();
    expect(again).toMatchObject({ objects: 0, invalidations: [{ id: 'I1', tags: 1 }] });
    expect(cloudFront.invalidations()).toEqual([[`#u-${hashOf('unit-1')}`]]);
  });
});
