import { describe, expect, it } from 'vitest';
import { QUEUE_PREFIX, SUBMISSION_PREFIX } from '../../src/protocol/keys.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { codeOf, startHeldOrigin, temporaryFolder, until } from '../support/http/service.ts';
import { failingStore } from '../support/store/failing-store.ts';

const MINUTES_MS = 60_000;

/** The names of the notes in a store. */
async function notesIn(root: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of createFileStore({ root }).list(SUBMISSION_PREFIX)) keys.push(key);
  return keys;
}

/** A store of units whose jobs could not be put on the queue. */
async function cutOff() {
  const { origin, held, answerAll } = await startHeldOrigin();
  const root = await temporaryFolder();
  const env = { SOURCE_ALLOW_PRIVATE: origin.authority };
  const store = createFileStore({ root });
  const { adminRequest, service } = await startAdminService(env, {
    store: failingStore(store, new RegExp(`^${QUEUE_PREFIX}/`), 'put'),
  });
  const lines = unitLine('unit-1', `${origin.url}/a.jpg`) + unitLine('unit-2', `${origin.url}/b.jpg`);
  const response = await adminRequest('POST', '/units', lines);
  await service.stop();
  return { origin, held, answerAll, root, env, store, response };
}

describe('A submission that was cut off', () => {
  it('is taken up by the next process', async () => {
    const { held, answerAll, env, store, response } = await cutOff();
    expect(await codeOf(response)).toBe('overloaded');
    const { statusOf, finalStatus } = await startAdminService(env, { store });
    expect((await statusOf('unit-1')).totals).toMatchObject({ pending: 1 });
    await until(() => held.length === 2);
    answerAll();
    for (const unit of ['unit-1', 'unit-2'])
      expect((await finalStatus(unit)).totals).toMatchObject({ ready: 1 });
  });

  it('is taken up again by each process, until it is surely over', async () => {
    const { answerAll, held, root, env, store } = await cutOff();
    let nowMs = Date.now();
    const overrides = { store, nowMs: () => nowMs };
    const first = await startAdminService(env, overrides);
    await until(() => held.length === 2);
    answerAll();
    await first.queueIsEmpty();
    expect(await notesIn(root)).toHaveLength(1);
    nowMs += 11 * MINUTES_MS;
    await first.service.unitServices.units.sweep();
    expect(await notesIn(root)).toEqual([]);
  });

  it('leaves nothing of units whose manifests were not stored', async () => {
    const { origin } = await startHeldOrigin();
    const root = await temporaryFolder();
    const env = { SOURCE_ALLOW_PRIVATE: origin.authority };
    const store = createFileStore({ root });
    const failing = failingStore(store, /manifest\.json$/, 'put');
    const { adminRequest, service } = await startAdminService(env, { store: failing });
    await adminRequest('POST', '/units', unitLine('unit-1', `${origin.url}/a.jpg`));
    await service.stop();
    const next = await startAdminService(env, { store });
    await next.service.unitServices.units.sweep();
    await next.queueIsEmpty();
    expect((await next.adminRequest('GET', '/units/unit-1')).status).toBe(404);
    expect(origin.requests).toEqual([]);
  });
});

describe('A submission', () => {
  it('is noted only until its jobs are on the queue', async () => {
    const { ingest, service } = await startAdminService();
    await ingest(unitLine('unit-1', 'https://nowhere.test/a.jpg'));
    expect(await notesIn(service.folder)).toEqual([]);
  });
});
