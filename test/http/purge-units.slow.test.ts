import { describe, expect, it } from 'vitest';
import { PURGE_CLOCK_KEY, QUEUE_LEASE_KEY } from '../../src/protocol/keys.ts';
import type { VariantStore } from '../../src/store/store.ts';
import {
  filesIn,
  hashOf,
  startAdminService,
  startWithUnits,
  streamOf,
  unitLine,
} from '../support/http/operator.ts';
import { codeOf, targetFor } from '../support/http/service.ts';
import { emptyStore } from '../support/store/failing-store.ts';

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('DELETE /units/{id}', () => {
  it('deletes everything of a unit except its tombstone and says how much that was', async () => {
    const { adminRequest, root, finalStatus } = await startWithUnits(['unit-1']);
    expect((await finalStatus('unit-1')).totals).toMatchObject({ ready: 1, broken: 1 });
    const response = await adminRequest('DELETE', '/units/unit-1');
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const purge = (await response.json()) as { bytes: number };
    expect(purge).toEqual({
      id: 'unit-1',
      purgedAt: expect.stringMatching(ISO_TIME),
      objects: 3,
      bytes: expect.any(Number),
      cacheTag: `u-${hashOf('unit-1')}`,
      invalidations: [],
      notTold: expect.stringMatching(/^No CDN is configured \(CDN=none\): .* Purge these cache tags there$/),
    });
    expect(purge.bytes).toBeGreaterThan(1000);
    expect(await codeOf(await adminRequest('GET', '/units/unit-1'))).toBe('not_found');
    expect(await filesIn(root)).toEqual([hashOf('unit-1')]);
  });

  it('is idempotent and accepts unknown units', async () => {
    const { adminRequest, root } = await startWithUnits(['unit-1']);
    await adminRequest('DELETE', '/units/unit-1');
    for (const id of ['unit-1', 'unit-2']) {
      const response = await adminRequest('DELETE', `/units/${id}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ id, objects: 0, bytes: 0 });
    }
    expect((await filesIn(root)).sort()).toEqual([hashOf('unit-1'), hashOf('unit-2')].sort());
  });

  it('leaves other units in place, and lets the unit be requested and sent again', async () => {
    const { adminRequest, ingest, finalStatus, service, src } = await startWithUnits(['unit-1', 'unit-10']);
    await adminRequest('DELETE', '/units/unit-1');
    expect((await finalStatus('unit-10')).totals).toMatchObject({ ready: 1, broken: 1 });
    const target = targetFor(src, { width: 160, format: 'webp' });
    expect((await service.request(target)).headers.get('cache-status')).toBe('edgepress; fwd=miss; stored');
    await ingest(unitLine('unit-1', src));
    expect((await finalStatus('unit-1')).totals).toMatchObject({ ready: 1, broken: 0 });
  });

  it('purges a unit with the id purge like any other', async () => {
    const { adminRequest } = await startWithUnits(['purge']);
    expect(await (await adminRequest('GET', '/units/purge')).json()).toMatchObject({ id: 'purge' });
    expect(await (await adminRequest('DELETE', '/units/purge')).json()).toMatchObject({
      id: 'purge',
      objects: 3,
    });
  });

  it('answers bad_request to an invalid id', async () => {
    const { adminRequest } = await startAdminService();
    for (const id of ['..', 'a%20b', '%2a', 'x'.repeat(129)]) {
      const response = await adminRequest('DELETE', `/units/${id}`);
      expect(await response.json()).toMatchObject({ code: 'bad_request', parameter: 'id' });
    }
  });

  it('logs one line with the unit and the number of deleted objects', async () => {
    const { adminRequest, service } = await startWithUnits(['unit-1']);
    const before = service.log.length;
    await adminRequest('DELETE', '/units/unit-1');
    expect(service.log.slice(before)).toMatchObject([
      { level: 30, msg: 'request', method: 'DELETE', unit: 'unit-1', status: 200, units: 1, objects: 3 },
    ]);
  });
});

describe('POST /units/purge', () => {
  it('purges every unit in its list once', async () => {
    const { adminRequest, root } = await startWithUnits(['unit-1', 'unit-2', 'unit-3']);
    const ids = ['unit-1', 'unit-3', 'unit-1', 'never'];
    const response = await adminRequest('POST', '/units/purge', JSON.stringify({ ids }));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      units: [
        { id: 'unit-1', objects: 3, purgedAt: expect.stringMatching(ISO_TIME) },
        { id: 'unit-3', objects: 3, cacheTag: `u-${hashOf('unit-3')}` },
        { id: 'never', objects: 0, bytes: 0 },
      ],
      invalidations: [],
      notTold: expect.stringContaining('CDN=none'),
    });
    const left = ['unit-1', 'unit-3', 'never'].map(hashOf);
    expect((await filesIn(root)).filter((name) => left.includes(name)).sort()).toEqual(left.sort());
    // Three tombstones; of the other unit the manifest, a variant, a source record and the mark of its state.
    expect(await filesIn(root)).toHaveLength(3 + 4);
    expect((await adminRequest('GET', '/units/unit-2')).status).toBe(200);
  });

  it.each([
    ['an empty body', '', 'The body is not JSON', undefined],
    ['truncated JSON', '{"ids":["a"]', 'The body is not JSON', undefined],
    ['two documents', '{"ids":["a"]} {"ids":["b"]}', 'The body is not JSON', undefined],
    ['null', 'null', '`body`', 'body'],
    ['a list without the property', '["a"]', '`body`', 'body'],
    ['an object without ids', '{}', '`ids` must be a list', 'ids'],
    ['ids that are not a list', '{"ids":"a"}', '`ids` must be a list', 'ids'],
    ['an empty list', '{"ids":[]}', '`ids` is empty', 'ids'],
    ['an invalid id', '{"ids":["a","b/c"]}', '`ids.1` is not a unit id', 'ids.1'],
    ['an id that is not a string', '{"ids":["a","b",7]}', '`ids.2` is not a string', 'ids.2'],
    ['dots as an id', '{"ids":[".."]}', '`ids.0` is not a unit id', 'ids.0'],
    ['an unknown property', '{"ids":["a"],"dryRun":true}', '`body`', 'body'],
    [
      '10,001 ids',
      JSON.stringify({ ids: Array.from({ length: 10_001 }, (_, n) => `u${n}`) }),
      '10000',
      'ids',
    ],
  ])('refuses %s as a bad_request', async (_what, body, detail, parameter) => {
    const { adminRequest, root } = await startWithUnits(['a']);
    const before = await filesIn(root);
    const response = await adminRequest('POST', '/units/purge', body);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ code: 'bad_request', detail: expect.stringContaining(detail) });
    expect(problem['parameter']).toBe(parameter);
    expect(await filesIn(root)).toEqual(before);
  });

  it('refuses a body of 3 MB, with or without Content-Length', async () => {
    const { adminRequest, service } = await startAdminService();
    const body = JSON.stringify({ ids: Array.from({ length: 25_000 }, () => 'x'.repeat(120)) });
    for (const sent of [body, new Blob([body]).stream()]) {
      const response = await adminRequest('POST', '/units/purge', sent);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        code: 'bad_request',
        detail: expect.stringMatching(/longer than 2097152 bytes/),
      });
    }
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });

  it('accepts 10,000 ids of 128 characters, and stores a tombstone for each', async () => {
    const tombstones = new Set<string>();
    const replace: VariantStore['replace'] = async (key) => {
      if (key !== PURGE_CLOCK_KEY && key !== QUEUE_LEASE_KEY) tombstones.add(key);
      return { etag: '"none"' };
    };
    const { adminRequest } = await startAdminService({}, { store: { ...emptyStore, replace } });
    const ids = Array.from({ length: 10_000 }, (_, n) => String(n).padEnd(128, '~'));
    const response = await adminRequest('POST', '/units/purge', JSON.stringify({ ids }));
    expect(((await response.json()) as { units: object[] }).units).toHaveLength(10_000);
    expect(tombstones.size).toBe(10_000);
  });

  it('purges nothing, answers bad_request and logs no bug if its body breaks off', async () => {
    const { adminRequest, service, statusOf } = await startWithUnits(['unit-1']);
    const chunk = new TextEncoder().encode('{"ids":["unit-1"]}');
    const broken = streamOf([chunk], new Error('aborted'));
    expect(await codeOf(await adminRequest('POST', '/units/purge', broken))).toBe('bad_request');
    expect(await statusOf('unit-1')).toMatchObject({ id: 'unit-1' });
    expect(JSON.stringify(service.log)).not.toContain('a bug');
  });

  it('logs one line with the numbers of units and deleted objects', async () => {
    const { adminRequest, service } = await startWithUnits(['unit-1', 'unit-2']);
    const before = service.log.length;
    await adminRequest('POST', '/units/purge', '{"ids":["unit-1","unit-2"]}');
    expect(service.log.slice(before)).toMatchObject([
      { level: 30, msg: 'request', method: 'POST', status: 200, units: 2, objects: 6 },
    ]);
  });
});
