import { mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReadiness } from '../../src/http/readiness.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startService, temporaryFolder, until } from '../support/http/service.ts';
import { failingStore } from '../support/store/failing-store.ts';

async function readiness(service: Awaited<ReturnType<typeof startService>>) {
  const response = await service.request('/readyz');
  return { status: response.status, body: await response.json() };
}

describe('GET /readyz', () => {
  it('is 200 while the store and the queue answer', async () => {
    const service = await startService();
    expect(await readiness(service)).toEqual({
      status: 200,
      body: { status: 'ready', draining: false, checks: { store: 'ok', queue: 'ok' } },
    });
    const response = await service.request('/readyz');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('is 503 while the store fails, names it without the reason, and leaves /healthz alone', async () => {
    const store = failingStore(createFileStore({ root: await temporaryFolder() }), /readyz$/, 'head');
    const service = await startService({}, { store });
    const { status, body } = await readiness(service);
    expect({ status, body }).toEqual({
      status: 503,
      body: { status: 'not ready', draining: false, checks: { store: 'failed', queue: 'ok' } },
    });
    expect(service.log.find(({ msg }) => msg === 'not ready')).toMatchObject({ part: 'store' });
    expect((await service.request('/healthz')).status).toBe(200);
  });

  it('is 503 while the folder of the store is gone', async () => {
    // By way of a link, so that whatever the service writes meanwhile can't make the folder anew.
    const parent = await temporaryFolder();
    const root = join(parent, 'link');
    const pointTo = async (target: string) => {
      await symlink(join(parent, target), join(parent, 'next'));
      await rename(join(parent, 'next'), root);
    };
    await mkdir(join(parent, 'data'));
    await pointTo('data');
    const service = await startService({ STORE: `file:${root}` });
    await pointTo('nothing');
    expect(await readiness(service)).toMatchObject({ status: 503, body: { checks: { store: 'failed' } } });
    await pointTo('data');
    await until(async () => (await readiness(service)).status === 200);
  });

  it('is 503 while nothing can be written to the folder of the store', async () => {
    const files = createFileStore({ root: await temporaryFolder() });
    const assertWritable = () => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    };
    const service = await startService({}, { store: { ...files, assertWritable } });
    expect(await readiness(service)).toMatchObject({ status: 503, body: { checks: { store: 'failed' } } });
  });

  it('is 503 once the process drains', async () => {
    const service = await startService();
    expect((await readiness(service)).status).toBe(200);
    await service.stop();
    expect(await readiness(service)).toMatchObject({ status: 503, body: { draining: true } });
  });

  it('has no other methods than GET and HEAD', async () => {
    const service = await startService();
    const response = await service.request('/readyz', { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('Readiness', () => {
  it('does not wait for a part that does not answer', async () => {
    const check = createReadiness({
      ...{ parts: { store: () => new Promise(() => {}), queue: async () => 3 }, onFailure: () => {} },
      timeoutMs: 1,
    });
    expect(await check()).toEqual({ isReady: false, checks: { store: 'timeout', queue: 'ok' } });
  });

  it('asks once a second, however often it is asked', async () => {
    let nowMs = 0;
    let asked = 0;
    const parts = { store: async () => ++asked };
    const check = createReadiness({ parts, onFailure: () => {}, nowMs: () => nowMs });
    await Promise.all([check(), check()]);
    nowMs = 999;
    await check();
    expect(asked).toBe(1);
    nowMs = 1000;
    await check();
    expect(asked).toBe(2);
  });
});
