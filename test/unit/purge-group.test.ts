import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import {
  GROUP_PREFIX,
  groupCacheTag,
  TOMBSTONE_PREFIX,
  unitCacheTag,
  VARIANT_PREFIX,
} from '../../src/protocol/keys.ts';
import type { Overrides } from '../../src/services.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import { startAdminService } from '../support/http/operator.ts';
import { startOrigin, temporaryFolder, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { createGate } from '../support/queue/consumer.ts';

const GROUP = 'client-7';
const HOURS_MS = 3_600_000;
const TAG = groupCacheTag(GROUP, sha256);

async function setUp(overrides: Overrides = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority }, overrides);
  const { service } = admin;
  const srcOf = (id: string) => `${origin.url}/${id}.jpg`;
  const line = (id: string, group?: string) =>
    `${JSON.stringify({ id, images: [srcOf(id)], ...(group && { group }) })}\n`;
  const keysIn = async (folder: string) => {
    const keys: string[] = [];
    const store = overrides.store ?? createFileStore({ root: service.folder });
    for await (const { key } of store.list(folder)) keys.push(key);
    return keys;
  };
  return {
    ...admin,
    line,
    keysIn,
    request: (id: string, width: number) =>
      service.request(`/u/${id}?src=${encodeURIComponent(srcOf(id))}&w=${width}&f=webp`),
    purgeGroup: async (group: unknown) => {
      const response = await admin.adminRequest('POST', '/units/purge', JSON.stringify({ group }));
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    /** The tags in the answer to a request for a variant. */
    tagsOf: async (id: string, width: number) => {
      const response = await service.request(
        `/u/${id}?src=${encodeURIComponent(srcOf(id))}&w=${width}&f=webp`,
      );
      await response.arrayBuffer();
      return response.headers.get('x-amz-meta-cache-tag')?.split(',') ?? [];
    },
  };
}

describe('A unit with a group', () => {
  it('has the tag of its group on all of its variants, made by prewarm or for a viewer', async () => {
    const { ingest, line, finalStatus, tagsOf } = await setUp();
    await ingest(line('unit-1', GROUP) + line('unit-2'));
    for (const id of ['unit-1', 'unit-2']) await finalStatus(id);
    for (const width of [160, 320]) {
      expect(await tagsOf('unit-1', width)).toEqual([
        unitCacheTag('unit-1', sha256),
        expect.stringMatching(/^s-[0-9a-f]{32}$/),
        TAG,
      ]);
      expect(await tagsOf('unit-2', width)).toHaveLength(2);
    }
  });

  it.each(['a/b', '', '..', 7])('is refused when its group is %j', async (group) => {
    const { ingest, line } = await setUp();
    const unit = { ...JSON.parse(line('unit-1')), group };
    expect(await ingest(`${JSON.stringify(unit)}\n`).catch(() => ({ accepted: 0 }))).not.toMatchObject({
      accepted: 1,
    });
  });
});

describe('The purge of a group', () => {
  it('removes its units, in packs or not, invalidates one tag, and leaves all others', async () => {
    const { ingest, line, queueIsEmpty, purgeGroup, statusOf, keysIn, service, adminRequest } = await setUp();
    const ids = Array.from({ length: 40 }, (_, index) => `unit-${index}`);
    await ingest(ids.map((id) => line(id, GROUP)).join('') + line('other', 'client-8') + line('none'));
    await ingest(line('alone', GROUP));
    await queueIsEmpty();
    const invalidated: (readonly string[])[] = [];
    const { cdn } = service.unitServices;
    cdn.invalidate = async (tags) => {
      invalidated.push(tags);
      return [{ id: 'I1', tags: tags.length }];
    };
    const { status, body } = await purgeGroup(GROUP);
    expect(status).toBe(200);
    expect(body).toMatchObject({ group: GROUP, units: 41, invalidations: [{ id: 'I1', tags: 1 }] });
    expect(invalidated).toEqual([[TAG]]);
    for (const id of [...ids, 'alone']) expect((await adminRequest('GET', `/units/${id}`)).status).toBe(404);
    for (const id of ['other', 'none']) expect((await statusOf(id)).totals).toMatchObject({ ready: 1 });
    expect((await keysIn(VARIANT_PREFIX)).filter((key) => /unit-|alone/.test(key))).toEqual([]);
    expect(await keysIn(GROUP_PREFIX)).toHaveLength(1);
    // Again: nothing is left, and the tag is invalidated all the same.
    expect((await purgeGroup(GROUP)).body).toMatchObject({ units: 0, invalidations: [{ tags: 1 }] });
  });

  it('also invalidates the tag of a unit that has variants without that of the group', async () => {
    const { ingest, line, finalStatus, purgeGroup, request, service, queueIsEmpty } = await setUp();
    // Before it was sent with a group.
    await (await request('unit-1', 320)).arrayBuffer();
    await ingest(line('unit-1', GROUP) + line('unit-2', GROUP));
    for (const id of ['unit-1', 'unit-2']) await finalStatus(id);
    await queueIsEmpty();
    const invalidated: string[] = [];
    service.unitServices.cdn.invalidate = async (tags) => {
      invalidated.push(...tags);
      return [];
    };
    await purgeGroup(GROUP);
    expect(invalidated).toEqual([unitCacheTag('unit-1', sha256), TAG]);
  });

  it('invalidates that tag when it is repeated after the CDN has failed', async () => {
    const { ingest, line, finalStatus, purgeGroup, request, service, queueIsEmpty } = await setUp();
    await (await request('unit-1', 320)).arrayBuffer();
    await ingest(line('unit-1', GROUP) + line('unit-2', GROUP));
    for (const id of ['unit-1', 'unit-2']) await finalStatus(id);
    await queueIsEmpty();
    const { cdn } = service.unitServices;
    cdn.invalidate = async () => {
      throw new Error('no CDN');
    };
    expect((await purgeGroup(GROUP)).status).toBeGreaterThanOrEqual(500);
    const invalidated: string[] = [];
    cdn.invalidate = async (tags) => {
      invalidated.push(...tags);
      return [];
    };
    for (let repeated = 0; repeated < 2; repeated++) await purgeGroup(GROUP);
    expect(invalidated).toEqual([unitCacheTag('unit-1', sha256), TAG, TAG]);
  });

  it('leaves a unit that was sent again with another group, or without one', async () => {
    const { ingest, line, queueIsEmpty, purgeGroup, statusOf, keysIn } = await setUp();
    await ingest(line('moved', GROUP) + line('left', GROUP) + line('stays', GROUP));
    await ingest(line('moved', 'client-8') + line('left'));
    await queueIsEmpty();
    expect((await purgeGroup(GROUP)).body).toMatchObject({ units: 1 });
    for (const id of ['moved', 'left']) expect((await statusOf(id)).totals).toMatchObject({ ready: 1 });
    expect((await keysIn(TOMBSTONE_PREFIX)).length).toBeGreaterThan(0);
  });

  it('does not forget a unit that is being sent, whose manifest is stored after it', async () => {
    const store = createFileStore({ root: await temporaryFolder() });
    const gate = createGate();
    const arrived = createGate();
    const put: typeof store.put = async (key, ...rest) => {
      if (key.endsWith('manifest.json')) {
        arrived.open();
        await gate.opened;
      }
      return await store.put(key, ...rest);
    };
    let nowMs = Date.now();
    const { ingest, line, purgeGroup, statusOf, keysIn, queueIsEmpty } = await setUp({
      store: { ...store, put },
      nowMs: () => nowMs,
    });
    const sending = ingest(line('unit-1', GROUP));
    await arrived.opened;
    await purgeGroup(GROUP);
    gate.open();
    await sending;
    await queueIsEmpty();
    expect((await statusOf('unit-1')).totals).toMatchObject({ ready: 1 });
    expect((await purgeGroup(GROUP)).body).toMatchObject({ units: 1 });
    nowMs += 2 * HOURS_MS;
    expect((await purgeGroup(GROUP)).body).toMatchObject({ units: 0 });
    expect(await keysIn(GROUP_PREFIX)).toEqual([]);
  });

  it('lets a unit be sent with the group again', async () => {
    const { ingest, line, finalStatus, purgeGroup } = await setUp();
    await ingest(line('unit-1', GROUP));
    await purgeGroup(GROUP);
    await ingest(line('unit-1', GROUP));
    await until(async () => (await finalStatus('unit-1')).totals.ready === 1);
    expect((await purgeGroup(GROUP)).body).toMatchObject({ units: 1 });
  });

  it.each([[7], ['a/b'], [['a']]])('is refused for the group %j', async (group) => {
    const { purgeGroup } = await setUp();
    expect(await purgeGroup(group)).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });
});
