import { describe, expect, it } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import { manifestsIn, startForbidding, streamOf } from '../support/http/ingested-units.ts';
import { failing, startOperated, unitLine, until } from '../support/http/operator.ts';
import { codeOf, temporaryFolder } from '../support/http/service.ts';

const SRC = 'https://images.test/a.jpg';

describe('POST /units while the store fails', () => {
  async function setUp(key: RegExp) {
    const root = await temporaryFolder();
    const whole = createFileStore({ root });
    const operated = await startOperated(
      { SOURCE_ALLOW: 'https://nowhere.test/*' },
      { store: failing(whole, key, 'put') },
    );
    return { ...operated, root };
  }

  it.each([
    ['manifests', /manifest/],
    ['jobs', /^queue\//],
  ])('to keep %s asks for all of it to be sent again, without a word of why', async (_what, key) => {
    const { ask, service } = await setUp(key);
    const response = await ask('POST', '/units', unitLine('unit-1', SRC));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10']);
    const problem = (await response.json()) as { detail: string };
    expect(problem).toMatchObject({
      code: 'overloaded',
      detail: expect.stringMatching(/send them all again/),
    });
    expect(problem.detail).not.toMatch(/fire|10\.0\.0/);
    const [line] = service.log.filter(({ msg }) => msg === 'request');
    expect(line).toMatchObject({ code: 'overloaded', reason: 'the disk is on fire at 10.0.0.7' });
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });

  it('for one unit prewarms those that came with it all the same', async () => {
    const { ask, service, root } = await setUp(/\/unlucky\/manifest/);
    const lines = ['one', 'unlucky', 'two'].map((id) => unitLine(id, SRC)).join('');
    expect((await ask('POST', '/units', lines)).status).toBe(503);
    expect(Object.keys(await manifestsIn(root)).sort()).toEqual(['one', 'two']);
    const prewarmed = () => service.log.filter(({ msg }) => msg === 'prewarm').map(({ unit }) => unit);
    await until(() => prewarmed().length === 2);
    expect(prewarmed().sort()).toEqual(['one', 'two']);
  });
});

describe('a body that breaks off', () => {
  it('is accepted as far as its lines were whole, and is no bug', async () => {
    const { ask, service } = await startForbidding();
    const text = unitLine('one', SRC) + unitLine('two', SRC);
    const piece = new TextEncoder().encode(text + unitLine('three', SRC).slice(0, -2));
    const broken = streamOf([piece], new Error('aborted'));
    const response = await ask('POST', '/units', broken);
    expect(response.status).toBe(400);
    expect(await codeOf(response)).toBe('bad_request');
    await until(() => service.log.filter(({ msg }) => msg === 'prewarm').length === 2);
    expect(Object.keys(await manifestsIn(service.folder)).sort()).toEqual(['one', 'two']);
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });
});
