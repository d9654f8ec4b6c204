import { describe, expect, it, vi } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { startOrigin, targetFor, temporaryFolder, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';
import { holdStore, keysOfUnits } from '../support/store/held-store.ts';
import { startPausingProxy } from '../support/store/pausing-proxy.ts';

/** A service whose bucket can fall silent. */
async function setUp() {
  const { endpoint, accessKeyId, secretAccessKey } = s3Server();
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  const { bucket } = await createBucket();
  const proxy = await startPausingProxy(endpoint);
  const photo = await photograph();
  const origin = await startOrigin((request, response) =>
    request.url === '/gone.jpg' ? response.writeHead(404).end() : response.end(photo),
  );
  const admin = await startAdminService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    STORE: `s3://${bucket}`,
    S3_ENDPOINT: proxy.url,
  });
  const { service } = admin;
  const view = async (path: string) =>
    await service.request(targetFor(`${origin.url}/${path}`, { width: 160 }));
  const cacheStatusOf = async (path: string) => (await view(path)).headers.get('cache-status');
  return { ...admin, proxy, origin, view, cacheStatusOf, bucket };
}

const STORED = 'edgepress; fwd=miss; stored';
const NOT_STORED = 'edgepress; fwd=miss';

describeS3('A service whose bucket accepts requests and never answers', () => {
  it('answers viewers without storing, refuses the bucket at once, and stores again when it answers', async () => {
    const { proxy, service, cacheStatusOf, metrics, bucket } = await setUp();
    expect(await cacheStatusOf('a.jpg')).toBe(STORED);
    proxy.pause();
    for (const path of ['b.jpg', 'c.jpg']) expect(await cacheStatusOf(path)).toBe(NOT_STORED);
    const target = `s3://${bucket}`;
    expect(service.log).toContainEqual(
      expect.objectContaining({
        kind: 'store',
        target,
        msg: expect.stringContaining('circuit breaker opened'),
      }),
    );
    const samples = await metrics();
    expect(samples.get('edgepress_circuits_open{kind="store"}')).toBe(1);
    expect(samples.get('edgepress_circuit_refused_total{kind="store"}')).toBeGreaterThan(0);
    proxy.resume();
    await until(async () => (await cacheStatusOf(`${Math.random()}.jpg`)) === STORED);
    expect(await cacheStatusOf('a.jpg')).toBe('edgepress; hit');
    expect((await metrics()).get('edgepress_circuits_open{kind="store"}')).toBe(0);
  });

  it('answers that a source is broken, though it cannot say so in the bucket', async () => {
    const { proxy, view, origin } = await setUp();
    proxy.pause();
    for (let times = 0; times < 2; times++) expect((await view('gone.jpg')).status).toBe(404);
    expect(origin.requests).toHaveLength(2);
  });

  it('never says that it accepted or purged a unit, and has lost nothing when the bucket answers', async () => {
    const { proxy, adminRequest, ingest, finalStatus, origin } = await setUp();
    await ingest(unitLine('kept', `${origin.url}/a.jpg`));
    expect((await finalStatus('kept')).totals.ready).toBe(1);
    proxy.pause();
    const line = unitLine('refused', `${origin.url}/a.jpg`);
    expect((await adminRequest('DELETE', '/units/kept')).status).toBeGreaterThanOrEqual(500);
    expect((await adminRequest('POST', '/units', line)).status).toBeGreaterThanOrEqual(500);
    proxy.resume();
    expect((await finalStatus('kept')).totals.ready).toBe(1);
    expect((await adminRequest('DELETE', '/units/kept')).status).toBe(200);
    expect((await adminRequest('GET', '/units/kept')).status).toBe(404);
  });
});

describe('A service whose store is slow to put', () => {
  /** A service that has answered a viewer while the put was held. */
  async function setUpHeld() {
    const root = await temporaryFolder();
    const { store, hold } = holdStore(createFileStore({ root }), {
      operation: 'put',
      key: /160-/,
      when: 'before',
    });
    let hasLanded = false;
    const watched: VariantStore = {
      ...store,
      async put(key, body, info) {
        const stored = await store.put(key, body, info);
        hasLanded = true;
        return stored;
      },
    };
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority }, { store: watched });
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const cacheStatus = async () => (await admin.service.request(target)).headers.get('cache-status');
    expect(await cacheStatus()).toBe(NOT_STORED);
    const land = async () => {
      hold.release();
      await until(() => hasLanded);
    };
    return { ...admin, root, origin, cacheStatus, land };
  }

  it('stores what it did not wait for', async () => {
    const { land, cacheStatus, origin } = await setUpHeld();
    await land();
    expect(await cacheStatus()).toBe('edgepress; hit');
    expect(origin.requests).toHaveLength(1);
  });

  it('removes what is stored so late if the unit was purged meanwhile', async () => {
    const { land, adminRequest, root } = await setUpHeld();
    expect((await adminRequest('DELETE', '/units/unit-1')).status).toBe(200);
    await land();
    await until(async () => (await keysOfUnits(root)).length === 0);
  });
});
