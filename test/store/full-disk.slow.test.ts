import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PURGE_CLOCK_KEY } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService } from '../support/http/operator.ts';
import { startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { filesIn } from '../support/store/folder.ts';
import { describeSmallDisk } from '../support/store/small-disk.ts';

const AVIF = { contentType: 'image/avif' };

describeSmallDisk('a full disk', (disk) => {
  let folders = 0;

  async function setUp() {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const folder = join(disk.folder, `store-${++folders}`);
    const admin = await startAdminService({
      STORE: `file:${folder}`,
      SOURCE_ALLOW_PRIVATE: origin.authority,
    });
    const src = `${origin.url}/photo.jpg`;
    const request = async (width: number) =>
      await admin.service.request(targetFor(src, { width, unit: 'unit-1' }));
    return { ...admin, folder, src, request, tempFiles: () => readdirSync(join(folder, '.tmp')) };
  }

  it('costs a viewer nothing: the image is sent without being stored, which the log and the metrics say', async () => {
    const { request, folder, service, metrics, tempFiles } = await setUp();
    const makeRoom = disk.fill();
    const before = tempFiles();
    const response = await request(160);
    expect([response.status, response.headers.get('cache-status')]).toEqual([200, 'edgepress; fwd=miss']);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
    expect(service.log).toContainEqual(
      expect.objectContaining({
        operation: 'put',
        err: expect.objectContaining({ message: expect.stringContaining('ENOSPC') }),
      }),
    );
    expect((await metrics()).get('edgepress_store_faults_total{operation="put"}')).toBe(1);
    expect(tempFiles()).toEqual(before);
    expect(await filesIn(join(folder, 'v1')).catch(() => [])).toEqual([]);
    makeRoom();
    expect((await request(160)).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
  });

  it('leaves every object whole, the old one or the new one, while puts fail in the middle', async () => {
    const store = createFileStore({ root: join(disk.folder, `store-${++folders}`) });
    const keys = Array.from({ length: 40 }, (_, index) => `v1/00/unit/${index}/160-high.avif`);
    for (const key of keys) await store.put(key, new Uint8Array(100), AVIF);
    const makeRoom = disk.fill();
    await store.delete(keys.slice(0, 20));
    const puts = keys.slice(20).map((key) => store.put(key, new Uint8Array(30_000), AVIF));
    const results = await Promise.allSettled(puts);
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    for (const [index, key] of keys.slice(20).entries()) {
      const isStored = results[index]?.status === 'fulfilled';
      expect((await store.get(key))?.bytes).toBe(isStored ? 30_000 : 100);
    }
    makeRoom();
    await store.delete(keys);
  });

  it('keeps no unit from being purged: its mark and its images go the way they always do', async () => {
    const { request, adminRequest, folder } = await setUp();
    for (const width of [160, 320]) await request(width);
    const makeRoom = disk.fill();
    const response = await adminRequest('DELETE', '/units/unit-1');
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ objects: 2 })]);
    expect(await filesIn(folder)).toEqual([expect.stringMatching(/^purged\/[0-9a-f]{32}$/), PURGE_CLOCK_KEY]);
    makeRoom();
  });

  it('keeps no unit from being marked as purged that has nothing to delete, as space is reserved for that', async () => {
    const { adminRequest, folder } = await setUp();
    const makeRoom = disk.fill();
    expect((await adminRequest('DELETE', '/units/unit-2')).status).toBe(200);
    expect(await filesIn(folder)).toEqual([expect.stringMatching(/^purged\/[0-9a-f]{32}$/), PURGE_CLOCK_KEY]);
    makeRoom();
  });

  it('makes a purge say what it did not do, once the reserve is used up and nothing can be deleted', async () => {
    const { adminRequest, folder } = await setUp();
    const makeRoom = disk.fill();
    await adminRequest('DELETE', '/units/unit-2');
    disk.fill();
    const response = await adminRequest('DELETE', '/units/unit-3');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: 'overloaded',
      detail: expect.stringMatching(/not marked as purged.*send the same again/),
    });
    makeRoom();
    expect((await adminRequest('DELETE', '/units/unit-3')).status).toBe(200);
    // Two tombstones, and the time of the last purge.
    expect(await filesIn(folder)).toHaveLength(3);
  });

  it('refuses units with a 503, and finishes the jobs that it had accepted once there is room', async () => {
    const { adminRequest, ingest, finalStatus, queueIsEmpty, src } = await setUp();
    // The job is accepted, and the disk is full before its images are stored.
    const line = JSON.stringify({ id: 'unit-1', images: [src] });
    const accepted = await ingest(line);
    expect(accepted).toMatchObject({ accepted: 1 });
    const makeRoom = disk.fill();
    const refused = await adminRequest('POST', '/units', JSON.stringify({ id: 'unit-2', images: [src] }));
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'overloaded' }),
    ]);
    makeRoom();
    await until(async () => (await finalStatus('unit-1')).totals.ready === 1);
    await queueIsEmpty();
  });
});
