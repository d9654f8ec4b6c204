import { describe, expect, it } from 'vitest';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { codeOf, startHeldOrigin, startOrigin, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SIGNING_KEYS = `k1:${'a1'.repeat(16)},k0:${'b2'.repeat(16)}`;

/** An origin with one photograph, a page, an error, and nothing else. */
async function startMixedOrigin() {
  const photo = await photograph();
  const origin = await startOrigin(({ url = '' }, response) => {
    if (url.endsWith('.jpg')) response.end(photo);
    else if (url === '/page') response.setHeader('Content-Type', 'text/html').end('<!doctype html><p>Hello.');
    else if (url === '/error') response.writeHead(500).end();
    else response.writeHead(404).end();
  });
  return { photo, origin };
}

describe('GET /units/{id}', () => {
  it('describes a ready image as the contract says, with signed URLs that work', async () => {
    const { photo, origin } = await startMixedOrigin();
    const { ingest, finalStatus, service } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      PREWARM_WIDTHS: '320,160',
      PREWARM_FORMATS: 'webp,jpeg',
      PUBLIC_URL: 'https://images.example.com/',
      SIGNING_KEYS,
    });
    const src = `${origin.url}/it's%20(1)+é&w=9.jpg`;
    await ingest(JSON.stringify({ id: 'unit-1', images: { 'front door.jpg': src } }));
    const status = await finalStatus('unit-1');
    const [image] = status.images;
    const variant = (width: number, format: string) => ({
      url: expect.stringMatching(/^https:\/\/images\.example\.com\/u\/unit-1\?src=.*&sig=k1\.[\w-]{43}$/),
      ...{ width, tier: 'balanced', format, type: `image/${format}` },
      bytes: expect.any(Number),
      effort: expect.stringMatching(/^(fast|best)$/),
    });
    expect(image).toEqual({
      src,
      name: 'front door.jpg',
      state: 'ready',
      sourceBytes: photo.byteLength,
      variants: [variant(160, 'webp'), variant(160, 'jpeg'), variant(320, 'webp'), variant(320, 'jpeg')],
    });
    if (image?.state !== 'ready') throw new Error('the image is not ready');
    for (const { url, type, bytes } of image.variants) {
      const response = await service.request(url.replace('https://images.example.com', ''));
      expect([response.status, response.headers.get('cache-status')]).toEqual([200, 'edgepress; hit']);
      expect(response.headers.get('content-type')).toBe(type);
      expect((await response.arrayBuffer()).byteLength).toBe(bytes);
    }
    expect(origin.requests).toHaveLength(1);
    const bytes = image.variants.reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(status).toEqual({
      id: 'unit-1',
      images: [image],
      totals: { ready: 1, broken: 0, pending: 0, sourceBytes: photo.byteLength, bytes },
    });
  });

  it('has no name for an unnamed image, and unsigned URLs without SIGNING_KEYS', async () => {
    const { origin } = await startMixedOrigin();
    const { ingest, finalStatus, service } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
    });
    await ingest(unitLine('unit-1', `${origin.url}/a.jpg`));
    const [image] = (await finalStatus('unit-1')).images;
    if (image?.state !== 'ready') throw new Error('the image is not ready');
    expect(image).not.toHaveProperty('name');
    const { url = '' } = image.variants[0] ?? {};
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:3000\/u\/unit-1\?/);
    expect(url).not.toContain('sig=');
    const response = await service.request(url.replace('http://127.0.0.1:3000', ''));
    expect(response.headers.get('cache-status')).toBe('edgepress; hit');
  });

  it('describes each broken image with code, detail, since, retryable and nextAttempt', async () => {
    const { origin } = await startMixedOrigin();
    const elsewhere = await startOrigin((_request, response) => response.end());
    const { ingest, finalStatus, service } = await startAdminService({
      SOURCE_ALLOW: `${origin.url}/*,${elsewhere.url}/*,http://127.0.0.1:1/*,https://*.example.com/*`,
      SOURCE_ALLOW_PRIVATE: origin.authority,
      SIGNING_KEYS,
    });
    const expected: [src: string, code: string, detail: RegExp, retryable: boolean][] = [
      [`${origin.url}/gone`, 'source_not_found', /404/, false],
      [`${origin.url}/page`, 'source_not_image', /HTML/i, false],
      [`${origin.url}/error`, 'source_unavailable', /500/, true],
      ['https://example.org/a.jpg', 'source_forbidden', /./, false],
      [`${elsewhere.url}/a.jpg`, 'source_forbidden', /./, false],
      ['http://127.1:1/a.jpg', 'source_forbidden', /./, false],
      ['not a URL', 'bad_request', /./, false],
      ['file:///etc/passwd', 'bad_request', /./, false],
      ['https://user:pass@a.example.com/a.jpg', 'bad_request', /./, false],
      [`https://a.example.com/${'x'.repeat(5000)}`, 'bad_request', /./, false],
      ['https://a.example.com/\ud800', 'bad_request', /./, false],
      ['', 'bad_request', /./, false],
    ];
    const before = Date.now();
    await ingest(unitLine('unit-1', ...expected.map(([src]) => src)));
    const status = await finalStatus('unit-1');
    expect(status.images).toEqual(
      expected.map(([src, code, detail, retryable]) => ({
        ...{ src, state: 'broken', code, retryable },
        // Nothing else tells which one it is.
        ...(src === '' && { name: 'images.11' }),
        detail: expect.stringMatching(detail),
        since: expect.stringMatching(ISO_TIME),
        nextAttempt: expect.stringMatching(ISO_TIME),
      })),
    );
    for (const image of status.images) {
      if (image.state !== 'broken') continue;
      expect(Date.parse(image.since)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(image.nextAttempt)).toBeGreaterThanOrEqual(Date.parse(image.since));
    }
    expect(status.totals).toEqual({ ready: 0, broken: 12, pending: 0, sourceBytes: 0, bytes: 0 });
    expect(elsewhere.requests).toEqual([]);
    // An invalid URL is broken in the status before its job has started.
    const prewarmed = () => service.log.filter(({ msg }) => msg === 'prewarm');
    await until(() => prewarmed().length === 12);
    expect(JSON.stringify(prewarmed())).not.toMatch(/pass@|xxxx/);
    expect(service.log.filter(({ level }) => Number(level) > 40)).toEqual([]);
  });

  it('shows an image as pending until it is made or broken', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { ingest, statusOf, finalStatus } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
    });
    const src = `${origin.url}/a.jpg`;
    await ingest(unitLine('unit-1', src, 'nonsense'));
    await until(() => held.length === 1);
    expect(await statusOf('unit-1')).toMatchObject({
      images: [{ src, state: 'pending' }, { state: 'broken' }],
      totals: { ready: 0, broken: 1, pending: 1, sourceBytes: 0, bytes: 0 },
    });
    answerAll();
    expect((await finalStatus('unit-1')).totals).toMatchObject({ ready: 1, broken: 1, pending: 0 });
  });

  it('shows the images of the latest manifest', async () => {
    const { origin } = await startMixedOrigin();
    const { ingest, finalStatus } = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await ingest(unitLine('unit-1', `${origin.url}/a.jpg`));
    await finalStatus('unit-1');
    await ingest(unitLine('unit-1', `${origin.url}/b.jpg`, `${origin.url}/a.jpg`));
    const { images } = await finalStatus('unit-1');
    expect(images).toMatchObject([{ src: `${origin.url}/b.jpg` }, { src: `${origin.url}/a.jpg` }]);
    expect(origin.requests).toEqual(['/a.jpg', '/b.jpg']);
  });

  it('answers not_found to an unknown unit', async () => {
    const { adminRequest } = await startAdminService();
    for (const id of ['unit-1', 'purge', '...', 'x'.repeat(128)]) {
      const response = await adminRequest('GET', `/units/${id}`);
      expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store']);
      expect(await codeOf(response)).toBe('not_found');
    }
  });

  it('answers bad_request to an invalid id, and does not log it as a unit', async () => {
    const { adminRequest, service } = await startAdminService();
    for (const id of ['.', '..', 'a%20b', '%2e%2e', 'ä', 'a,b', 'a:b', 'x'.repeat(129), 'x'.repeat(9000)]) {
      const response = await adminRequest('GET', `/units/${id}`);
      expect(response.status, id).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'id' });
    }
    for (const { unit } of service.log) expect(unit).toBeUndefined();
  });

  it('answers HEAD like GET without the body', async () => {
    const { adminRequest, ingest } = await startAdminService({ SOURCE_ALLOW: 'https://nowhere.test/*' });
    await ingest(unitLine('unit-1', 'https://images.test/a.jpg'));
    for (const [id, status] of [
      ['unit-1', 200],
      ['unit-2', 404],
      ['a%20b', 400],
    ] as const) {
      const [get, head] = [
        await adminRequest('GET', `/units/${id}`),
        await adminRequest('HEAD', `/units/${id}`),
      ];
      expect([head.status, get.status]).toEqual([status, status]);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(await head.text()).toBe('');
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'OPTIONS'])('answers method_not_allowed to %s', async (method) => {
    const { adminRequest } = await startAdminService();
    const response = await adminRequest(method, '/units/unit-1');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, DELETE']);
    expect(await codeOf(response)).toBe('method_not_allowed');
  });

  it('answers not_found to paths below a unit', async () => {
    const { adminRequest } = await startAdminService();
    for (const target of ['/units/', '/units/unit-1/', '/units/unit-1/images', '/units//unit-1']) {
      expect(await codeOf(await adminRequest('GET', target)), target).toBe('not_found');
    }
  });

  it('logs one line with the unit', async () => {
    const { adminRequest, service } = await startAdminService();
    await adminRequest('GET', '/units/unit-7');
    expect(service.log).toMatchObject([{ msg: 'request', unit: 'unit-7', status: 404, code: 'not_found' }]);
  });
});
