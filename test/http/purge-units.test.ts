import { describe, expect, it } from 'vitest';
import { startOperated, unitLine } from '../support/http/operator.ts';
import { filesIn, hashOf, setUpUnits } from '../support/http/purge-units.ts';
import { codeOf, targetFor } from '../support/http/service.ts';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('DELETE /units/{id}', () => {
  it('removes all of a unit but the mark, and says what went', async () => {
    const { ask, root, settled } = await setUpUnits(['unit-1']);
    expect((await settled('unit-1')).totals).toMatchObject({ ready: 1, broken: 1 });
    const response = await ask('DELETE', '/units/unit-1');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const purge = (await response.json()) as { bytes: number };
    expect(purge).toEqual({
      id: 'unit-1',
      purgedAt: expect.stringMatching(ISO_TIME),
      objects: 3,
      bytes: expect.any(Number),
      invalidations: [],
    });
    expect(purge.bytes).toBeGreaterThan(1000);
    expect(await codeOf(await ask('GET', '/units/unit-1'))).toBe('not_found');
    expect(await filesIn(root)).toEqual([hashOf('unit-1')]);
  });

  it('may be asked again, and of units that never were', async () => {
    const { ask, root } = await setUpUnits(['unit-1']);
    await ask('DELETE', '/units/unit-1');
    for (const id of ['unit-1', 'unit-2']) {
      const response = await ask('DELETE', `/units/${id}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ id, objects: 0, bytes: 0 });
    }
    expect((await filesIn(root)).sort()).toEqual([hashOf('unit-1'), hashOf('unit-2')].sort());
  });

  it('leaves other units alone, and is no ban', async () => {
    const { ask, send, settled, service, src } = await setUpUnits(['unit-1', 'unit-10']);
    await ask('DELETE', '/units/unit-1');
    expect((await settled('unit-10')).totals).toMatchObject({ ready: 1, broken: 1 });
    const target = await targetFor(src, { width: 160, format: 'webp' });
    expect((await service.request(target)).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    await send(unitLine('unit-1', src));
    expect((await settled('unit-1')).totals).toMatchObject({ ready: 1, broken: 0 });
  });

  it('works on a unit that is called purge, like any other', async () => {
    const { ask } = await setUpUnits(['purge']);
    expect(await (await ask('GET', '/units/purge')).json()).toMatchObject({ id: 'purge' });
    expect(await (await ask('DELETE', '/units/purge')).json()).toMatchObject({ id: 'purge', objects: 3 });
  });

  it('calls an id malformed that can be none', async () => {
    const { ask } = await startOperated();
    for (const id of ['..', 'a%20b', '%2a', 'x'.repeat(129)]) {
      const response = await ask('DELETE', `/units/${id}`);
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'id' });
    }
  });

  it('logs one line that names the unit and tells how much went', async () => {
    const { ask, service } = await setUpUnits(['unit-1']);
    const before = service.log.length;
    await ask('DELETE', '/units/unit-1');
    expect(service.log.slice(before)).toMatchObject([
      { level: 30, msg: 'request', method: 'DELETE', unit: 'unit-1', status: 200, units: 1, objects: 3 },
    ]);
  });
});

describe('POST /units/purge', () => {
  it('removes every unit that it names, once', async () => {
    const { ask, root } = await setUpUnits(['unit-1', 'unit-2', 'unit-3']);
    const ids = ['unit-1', 'unit-3', 'unit-1', 'never'];
    const response = await ask('POST', '/units/purge', JSON.stringify({ ids }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      units: [
        { id: 'unit-1', objects: 3, purgedAt: expect.stringMatching(ISO_TIME) },
        { id: 'unit-3', objects: 3 },
        { id: 'never', objects: 0, bytes: 0 },
      ],
      invalidations: [],
    });
    const left = ['unit-1', 'unit-3', 'never'].map(hashOf);
    expect((await filesIn(root)).filter((name) => left.includes(name)).sort()).toEqual(left.sort());
    expect(await filesIn(root)).toHaveLength(3 + 3);
    expect((await ask('GET', '/units/unit-2')).status).toBe(200);
  });

  it.each([
    ['an empty body', '', 'The body is not JSON', undefined],
    ['half a body', '{"ids":["a"]', 'The body is not JSON', undefined],
    ['two documents', '{"ids":["a"]} {"ids":["b"]}', 'The body is not JSON', undefined],
    ['null', 'null', '`body`', 'body'],
    ['a list alone', '["a"]', '`body`', 'body'],
    ['no ids', '{}', '`ids` must be a list', 'ids'],
    ['ids that are no list', '{"ids":"a"}', '`ids` must be a list', 'ids'],
    ['an empty list', '{"ids":[]}', '`ids` is empty', 'ids'],
    ['what is no unit', '{"ids":["a","b/c"]}', '`ids.1` is no unit', 'ids.1'],
    ['what is no text', '{"ids":["a","b",7]}', '`ids.2` is no text', 'ids.2'],
    ['dots', '{"ids":[".."]}', '`ids.0` is no unit', 'ids.0'],
    ['what else might be meant', '{"ids":["a"],"dryRun":true}', '`body`', 'body'],
    [
      '10,001 ids',
      JSON.stringify({ ids: Array.from({ length: 10_001 }, (_, n) => `u${n}`) }),
      '10000',
      'ids',
    ],
  ])('refuses %s', async (_what, body, detail, parameter) => {
    const { ask, root } = await setUpUnits(['a']);
    const before = await filesIn(root);
    const response = await ask('POST', '/units/purge', body);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ code: 'bad_request', detail: expect.stringContaining(detail) });
    expect(problem['parameter']).toBe(parameter);
    expect(await filesIn(root)).toEqual(before);
  });

  it('refuses a body of 3 MB, whether its length is told or not', async () => {
    const { ask, service } = await startOperated();
    const body = JSON.stringify({ ids: Array.from({ length: 25_000 }, () => 'x'.repeat(120)) });
    for (const sent of [body, new Blob([body]).stream()]) {
      const response = await ask('POST', '/units/purge', sent);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 'bad_request',
        detail: expect.stringMatching(/longer than 2097152 bytes/),
      });
    }
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });

  it('takes 10,000 ids of full length', async () => {
    const { ask } = await startOperated();
    const ids = Array.from({ length: 10_000 }, (_, n) => String(n).padEnd(128, '~'));
    const response = await ask('POST', '/units/purge', JSON.stringify({ ids }));
    expect(((await response.json()) as { units: object[] }).units).toHaveLength(10_000);
  });

  it('that breaks off purges nothing, and is no bug', async () => {
    const { ask, service, statusOf } = await setUpUnits(['unit-1']);
    const broken = new ReadableStream<Uint8Array>(
      {
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"ids":["unit-1"]}')),
        pull: (controller) => controller.error(new Error('aborted')),
      },
      { highWaterMark: 0 },
    );
    expect(await codeOf(await ask('POST', '/units/purge', broken))).toBe('bad_request');
    expect(await statusOf('unit-1')).toMatchObject({ id: 'unit-1' });
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });

  it('logs one line that tells how much went', async () => {
    const { ask, service } = await setUpUnits(['unit-1', 'unit-2']);
    const before = service.log.length;
    await ask('POST', '/units/purge', '{"ids":["unit-1","unit-2"]}');
    expect(service.log.slice(before)).toMatchObject([
      { level: 30, msg: 'request', method: 'POST', status: 200, units: 2, objects: 6 },
    ]);
  });
});
