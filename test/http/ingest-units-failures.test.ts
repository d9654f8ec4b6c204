import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import {
  manifestsIn,
  startAdminService,
  startForbiddingService,
  streamOf,
  unitLine,
} from '../support/http/operator.ts';
import { codeOf, temporaryFolder, until } from '../support/http/service.ts';
import { failingStore, STORE_FAILURE } from '../support/store/failing-store.ts';

const SRC = 'https://images.test/a.jpg';

describe('POST /units while the store fails', () => {
  async function setUp(failing: RegExp) {
    const root = await temporaryFolder();
    const store = createFileStore({ root });
    const admin = await startAdminService(
      { SOURCE_ALLOW: 'https://nowhere.test/*' },
      { store: failingStore(store, failing, 'put') },
    );
    return { ...admin, root };
  }

  it.each([
    ['manifests', /manifest/],
    ['jobs', /^queue\//],
  ])(
    'answers overloaded without the cause if %s cannot be stored, and asks to send all units again',
    async (_what, key) => {
      const { adminRequest, service } = await setUp(key);
      const response = await adminRequest('POST', '/units', unitLine('unit-1', SRC));
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
      const problem = (await response.json()) as { detail: string };
      expect(problem).toMatchObject({
        code: 'overloaded',
        detail: expect.stringMatching(/send them all again/),
      });
      expect(problem.detail).not.toMatch(/fire|10\.0\.0/);
      const [line] = service.log.filter(({ msg }) => msg === 'request');
      expect(line).toMatchObject({ code: 'overloaded', reason: STORE_FAILURE });
      expect(JSON.stringify(service.log)).not.toContain('a bug');
    },
  );

  it('prewarms the other units if one cannot be stored', async () => {
    const { adminRequest, service, root } = await setUp(/\/unlucky\/manifest/);
    const lines = ['one', 'unlucky', 'two'].map((id) => unitLine(id, SRC)).join('');
    expect((await adminRequest('POST', '/units', lines)).status).toBe(503);
    expect(Object.keys(await manifestsIn(root)).sort()).toEqual(['one', 'two']);
    const prewarmed = () => service.log.filter(({ msg }) => msg === 'prewarm').map(({ unit }) => unit);
    await until(() => prewarmed().length === 2);
    expect(prewarmed().sort()).toEqual(['one', 'two']);
  });
});

describe('POST /units with a body that breaks off', () => {
  it('accepts the complete lines, answers bad_request and logs no bug', async () => {
    const { adminRequest, service } = await startForbiddingService();
    const text = unitLine('one', SRC) + unitLine('two', SRC);
    const chunk = new TextEncoder().encode(text + unitLine('three', SRC).slice(0, -2));
    const broken = streamOf([chunk], new Error('aborted'));
    const response = await adminRequest('POST', '/units', broken);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('bad_request');
    await until(() => service.log.filter(({ msg }) => msg === 'prewarm').length === 2);
    expect(Object.keys(await manifestsIn(service.folder)).sort()).toEqual(['one', 'two']);
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });
});
