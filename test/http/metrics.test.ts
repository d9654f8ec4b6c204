import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { failing, startHeldOrigin, startOperated, TOKEN, unitLine, until } from '../support/http/operator.ts';
import { codeOf, startOrigin, targetFor, temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

async function setUp() {
  const photo = await photograph();
  const origin = await startOrigin(({ url = '' }, response) => {
    if (url.startsWith('/gone')) response.writeHead(404).end();
    else response.end(photo);
  });
  const operated = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const target = (path: string, unit = 'unit-1') =>
    targetFor(origin.url + path, { unit, width: 160, format: 'webp' });
  return { photo, origin, target, ...operated };
}

describe('GET /metrics', () => {
  it('is text that Prometheus reads', async () => {
    const { ask, metrics } = await setUp();
    const response = await ask('GET', '/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const samples = await metrics();
    expect(samples.get('edgepress_queue_jobs')).toBe(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(await (await ask('HEAD', '/metrics')).text()).toBe('');
    const other = await ask('POST', '/metrics');
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await codeOf(other)).toBe('method_not_allowed');
  });

  it('counts requests by what they came to', async () => {
    const { photo, service, target, metrics } = await setUp();
    const sizes: number[] = [];
    const get = async (path: string, init?: RequestInit) => {
      const response = await service.request(path, init);
      sizes.push((await response.arrayBuffer()).byteLength);
    };
    await get(await target('/a.jpg'));
    await get(await target('/a.jpg'));
    await get(await target('/a.jpg'), { method: 'HEAD' });
    await get(await target('/gone'));
    await get('/u/unit-1');
    await get('/elsewhere');
    const samples = await metrics();
    expect(samples.get('edgepress_requests_total{outcome="miss",code=""}')).toBe(1);
    expect(samples.get('edgepress_requests_total{outcome="hit",code=""}')).toBe(2);
    expect(samples.get('edgepress_requests_total{outcome="error",code="source_not_found"}')).toBe(1);
    expect(samples.get('edgepress_requests_total{outcome="error",code="bad_request"}')).toBe(1);
    expect(samples.get('edgepress_requests_total{outcome="error",code="not_found"}')).toBe(1);
    expect(samples.get('edgepress_request_seconds_count{outcome="hit"}')).toBe(2);
    expect(samples.get('edgepress_request_seconds_bucket{le="+Inf",outcome="hit"}')).toBe(2);
    expect(samples.get('edgepress_response_bytes_total')).toBe(sizes.reduce((sum, size) => sum + size));
    expect(samples.get('edgepress_source_bytes_total')).toBe(photo.byteLength);
    // What the two whole pictures weigh, and what their originals would have.
    expect(samples.get('edgepress_image_bytes_total')).toBe((sizes[0] ?? 0) + (sizes[1] ?? 0));
    expect(samples.get('edgepress_image_original_bytes_total')).toBe(2 * photo.byteLength);
    const later = await metrics();
    // The requests for metrics are requests too.
    expect(later.get('edgepress_requests_total{outcome="ok",code=""}')).toBe(1);
  });

  it('counts the one fetch and the one encode that requests share', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const { service, metrics } = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp', tier: 'saver' });
    const asked = Array.from({ length: 20 }, () => service.request(target));
    await until(() => held.length > 0);
    letGo();
    const [response] = await Promise.all(asked);
    const samples = await metrics();
    expect(samples.get('edgepress_requests_total{outcome="miss",code=""}')).toBe(20);
    expect(samples.get('edgepress_fetch_seconds_count')).toBe(1);
    expect(samples.get('edgepress_encodes_total{format="webp",tier="saver"}')).toBe(1);
    expect(samples.get('edgepress_encode_seconds_count{format="webp"}')).toBe(1);
    expect(samples.get('edgepress_variant_bytes_total{format="webp",tier="saver"}')).toBe(
      (await response?.arrayBuffer())?.byteLength,
    );
  });

  it('counts images that were prewarmed by state, and broken sources by code', async () => {
    const { origin, send, settled, metrics } = await setUp();
    const images = [`${origin.url}/a.jpg`, `${origin.url}/gone/1`, `${origin.url}/gone/2`, 'nonsense'];
    await send(unitLine('unit-1', ...images));
    await settled('unit-1');
    await until(async () => (await metrics()).get('edgepress_queue_jobs') === 0);
    await send(unitLine('unit-1', ...images));
    await until(async () => (await metrics()).get('edgepress_prewarm_images_total{state="skipped"}') === 1);
    const samples = await metrics();
    expect(samples.get('edgepress_prewarm_images_total{state="ready"}')).toBe(1);
    expect(samples.get('edgepress_prewarm_images_total{state="broken"}')).toBe(6);
    // Attempts: what is remembered is not tried again, and what is forbidden never is.
    expect(samples.get('edgepress_broken_sources_total{code="source_not_found"}')).toBe(2);
    expect(samples.get('edgepress_encodes_total{format="webp",tier="balanced"}')).toBe(1);
    expect(samples.get('edgepress_fetch_seconds_count')).toBe(1);
  });

  it('tells how many jobs wait or are in hand', async () => {
    const { origin, held, letGo } = await startHeldOrigin();
    const { send, metrics } = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await send(['one', 'two', 'three'].map((id) => unitLine(id, `${origin.url}/a.jpg`)).join(''));
    await until(() => held.length === 3);
    expect((await metrics()).get('edgepress_queue_jobs')).toBe(3);
    letGo();
    await until(async () => (await metrics()).get('edgepress_queue_jobs') === 0);
  });

  it('counts faults of the store that nobody saw, and still answers when the queue cannot be asked', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const whole = createFileStore({ root: await temporaryFolder() });
    const store = failing(failing(whole, /\.webp$/, 'put'), /^queue$/, 'list');
    const { service, metrics } = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store });
    const target = await targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp' });
    await service.request(target);
    await service.request(target);
    const samples = await metrics();
    expect(samples.get('edgepress_store_faults_total{operation="put"}')).toBe(2);
    expect(samples.get('edgepress_queue_jobs')).toBeNaN();
    expect((await metrics()).get('edgepress_store_faults_total{operation="put"}')).toBe(2);
  });

  it('has no label with anything that is sent, so that their number stays small', async () => {
    const { ask, service, send, settled, target, origin, metrics } = await setUp();
    const before = (await metrics()).size;
    const ids = Array.from({ length: 30 }, (_, index) => `canary-${index}`);
    await send(ids.map((id) => unitLine(id, `${origin.url}/canary.jpg`, `${origin.url}/gone`)).join(''));
    for (const id of ids) {
      await settled(id);
      await service.request(await target('/canary.jpg', id));
      await service.request(`/canary/${id}`, { method: 'CANARY' });
      await ask('GET', `/units/${id}-canary`);
      await ask('DELETE', `/units/${id}`);
    }
    const samples = await metrics();
    const names = [...samples.keys()].join('\n');
    expect(names).not.toMatch(/canary|127\.0\.0\.1|http/i);
    expect(names).not.toContain(TOKEN);
    expect(samples.size).toBeLessThan(before + 150);
    const ours = [...samples.keys()].filter((name) => name.startsWith('edgepress_'));
    const labels = new Set(
      ours.flatMap((name) => [...name.matchAll(/[{,](\w+)=/g)].map(([, label]) => label)),
    );
    expect([...labels].sort()).toEqual(['code', 'format', 'le', 'outcome', 'state', 'tier']);
  });
});
