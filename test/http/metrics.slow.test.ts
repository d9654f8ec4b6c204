import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService, TOKEN, unitLine } from '../support/http/operator.ts';
import {
  codeOf,
  startHeldOrigin,
  startOrigin,
  targetFor,
  temporaryFolder,
  until,
} from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { failingStore } from '../support/store/failing-store.ts';

async function setUp() {
  const photo = await photograph();
  const origin = await startOrigin(({ url = '' }, response) => {
    if (url.startsWith('/gone')) response.writeHead(404).end();
    else response.end(photo);
  });
  const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
  const target = (path: string, unit = 'unit-1') =>
    targetFor(origin.url + path, { unit, width: 160, format: 'webp' });
  return { photo, origin, target, ...admin };
}

describe('GET /metrics', () => {
  it('answers in the text format of Prometheus', async () => {
    const { adminRequest, metrics } = await setUp();
    const response = await adminRequest('GET', '/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const samples = await metrics();
    expect(samples.get('edgepress_queue_jobs')).toBe(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(await (await adminRequest('HEAD', '/metrics')).text()).toBe('');
  });

  it('has no other methods than GET and HEAD', async () => {
    const { adminRequest } = await setUp();
    const other = await adminRequest('POST', '/metrics');
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await codeOf(other)).toBe('method_not_allowed');
  });

  it('counts requests, bytes and durations by outcome', async () => {
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
    // The bytes of the two whole images, and those of their originals.
    expect(samples.get('edgepress_image_bytes_total')).toBe((sizes[0] ?? 0) + (sizes[1] ?? 0));
    expect(samples.get('edgepress_image_original_bytes_total')).toBe(2 * photo.byteLength);
    const later = await metrics();
    // The first request for metrics counts too.
    expect(later.get('edgepress_requests_total{outcome="ok",code=""}')).toBe(1);
  });

  it('counts the fetch and the encode that many requests share once', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { service, metrics } = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp', tier: 'saver' });
    const requests = Array.from({ length: 20 }, () => service.request(target));
    await until(() => held.length > 0);
    answerAll();
    const [response] = await Promise.all(requests);
    const samples = await metrics();
    expect(samples.get('edgepress_requests_total{outcome="miss",code=""}')).toBe(20);
    expect(samples.get('edgepress_fetch_seconds_count')).toBe(1);
    expect(samples.get('edgepress_encodes_total{format="webp",tier="saver"}')).toBe(1);
    expect(samples.get('edgepress_encode_seconds_count{format="webp"}')).toBe(1);
    expect(samples.get('edgepress_variant_bytes_total{format="webp",tier="saver"}')).toBe(
      (await response?.arrayBuffer())?.byteLength,
    );
  });

  it('counts prewarmed images by state and broken sources by code', async () => {
    const { origin, ingest, finalStatus, metrics } = await setUp();
    const images = [`${origin.url}/a.jpg`, `${origin.url}/gone/1`, `${origin.url}/gone/2`, 'nonsense'];
    await ingest(unitLine('unit-1', ...images));
    await finalStatus('unit-1');
    await until(async () => (await metrics()).get('edgepress_queue_jobs') === 0);
    await ingest(unitLine('unit-1', ...images));
    await until(async () => (await metrics()).get('edgepress_prewarm_images_total{state="skipped"}') === 1);
    const samples = await metrics();
    expect(samples.get('edgepress_prewarm_images_total{state="ready"}')).toBe(1);
    expect(samples.get('edgepress_prewarm_images_total{state="broken"}')).toBe(6);
    // Attempts only: a cached failure is not tried again, and a forbidden source never.
    expect(samples.get('edgepress_broken_sources_total{code="source_not_found"}')).toBe(2);
    expect(samples.get('edgepress_encodes_total{format="webp",tier="balanced"}')).toBe(1);
    expect(samples.get('edgepress_fetch_seconds_count')).toBe(1);
  });

  it('shows the number of jobs that wait or are in flight', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { ingest, metrics } = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await ingest(['one', 'two', 'three'].map((id) => unitLine(id, `${origin.url}/a.jpg`)).join(''));
    await until(() => held.length === 3);
    expect((await metrics()).get('edgepress_queue_jobs')).toBe(3);
    answerAll();
    await until(async () => (await metrics()).get('edgepress_queue_jobs') === 0);
  });

  it('counts faults of the store, and answers even if the queue cannot be read', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const fileStore = createFileStore({ root: await temporaryFolder() });
    const store = failingStore(failingStore(fileStore, /\.webp$/, 'put'), /^queue$/, 'list');
    const { service, metrics } = await startAdminService(
      { SOURCE_ALLOW_PRIVATE: origin.authority },
      { store },
    );
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160, format: 'webp' });
    await service.request(target);
    await service.request(target);
    const samples = await metrics();
    expect(samples.get('edgepress_store_faults_total{operation="put"}')).toBe(2);
    expect(samples.get('edgepress_queue_jobs')).toBeNaN();
    expect((await metrics()).get('edgepress_store_faults_total{operation="put"}')).toBe(2);
  });

  it('has no labels from requests but the hosts of sources, so that the number of samples is bounded', async () => {
    const { adminRequest, service, ingest, finalStatus, target, origin, metrics } = await setUp();
    const before = (await metrics()).size;
    const ids = Array.from({ length: 30 }, (_, index) => `canary-${index}`);
    await ingest(ids.map((id) => unitLine(id, `${origin.url}/canary.jpg`, `${origin.url}/gone`)).join(''));
    for (const id of ids) {
      await finalStatus(id);
      await service.request(await target('/canary.jpg', id));
      await service.request(`/canary/${id}`, { method: 'CANARY' });
      await adminRequest('GET', `/units/${id}-canary`);
      await adminRequest('DELETE', `/units/${id}`);
    }
    const samples = await metrics();
    const names = [...samples.keys()].join('\n');
    expect(names.replaceAll(/host="127\.0\.0\.1:\d+"/g, '')).not.toMatch(/canary|127\.0\.0\.1|http/i);
    expect(names).not.toContain(TOKEN);
    expect(samples.size).toBeLessThan(before + 300);
    const ours = [...samples.keys()].filter((name) => name.startsWith('edgepress_'));
    const labels = new Set(
      ours.flatMap((name) => [...name.matchAll(/[{,](\w+)=/g)].map(([, label]) => label)),
    );
    expect([...labels].sort()).toEqual([
      ...['code', 'format', 'host', 'kind', 'le', 'lock', 'outcome', 'reason', 'state', 'step', 'tier'],
    ]);
  });
});
