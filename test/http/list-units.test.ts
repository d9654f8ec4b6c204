import { describe, expect, it } from 'vitest';
import { startAdminService, startWithUnits, unitLine } from '../support/http/operator.ts';
import { codeOf, startHeldOrigin, until } from '../support/http/service.ts';

interface Page {
  state: string;
  units: { id: string; since: string }[];
  next?: string;
}

type AdminRequest = (method: string, target: string) => Promise<Response>;

async function pageOf(adminRequest: AdminRequest, query: string): Promise<Page> {
  return (await (await adminRequest('GET', `/units?${query}`)).json()) as Page;
}

/** Follows `next` to the end. */
async function idsOf(adminRequest: AdminRequest, state: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after = '';
  for (;;) {
    const page = await pageOf(adminRequest, `state=${state}&limit=${limit}${after}`);
    expect(page.units.length).toBeLessThanOrEqual(limit);
    ids.push(...page.units.map(({ id }) => id));
    if (page.next === undefined) return ids;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `unit-${index}`);

describe('GET /units', () => {
  it('lists the units of a state, in pages', async () => {
    const ids = numbered(25);
    const { adminRequest, src, ingest, queueIsEmpty } = await startWithUnits(ids);
    await ingest(unitLine('good', src));
    await queueIsEmpty();
    expect((await idsOf(adminRequest, 'broken', 10)).toSorted()).toEqual(ids.toSorted());
    expect(await idsOf(adminRequest, 'ready', 10)).toEqual(['good']);
    expect(await idsOf(adminRequest, 'pending', 10)).toEqual([]);
    expect(await idsOf(adminRequest, 'failed', 10)).toEqual([]);
  });

  it('lists what waits as pending, whether it was sent alone or with many others', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { adminRequest, ingest, queueIsEmpty } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
    });
    const ids = numbered(40);
    await ingest(ids.map((id) => unitLine(id, `${origin.url}/a.jpg`)).join(''));
    await ingest(unitLine('alone', `${origin.url}/a.jpg`));
    await until(() => held.length > 0);
    expect((await idsOf(adminRequest, 'pending', 7)).toSorted()).toEqual([...ids, 'alone'].toSorted());
    const timer = setInterval(answerAll, 5);
    await queueIsEmpty();
    clearInterval(timer);
    expect(await idsOf(adminRequest, 'pending', 7)).toEqual([]);
    expect(await idsOf(adminRequest, 'ready', 1000)).toHaveLength(41);
  });

  it('lists a unit in the state of the work that ended last, and not at all once it is purged', async () => {
    const { adminRequest, ingest, queueIsEmpty, src } = await startWithUnits(['unit-1', 'unit-2']);
    await ingest(unitLine('unit-1', src));
    await queueIsEmpty();
    expect(await idsOf(adminRequest, 'ready', 10)).toEqual(['unit-1']);
    expect(await idsOf(adminRequest, 'broken', 10)).toEqual(['unit-2']);
    await adminRequest('DELETE', '/units/unit-1');
    await adminRequest('DELETE', '/units/unit-2');
    expect(await idsOf(adminRequest, 'ready', 10)).toEqual([]);
    expect(await idsOf(adminRequest, 'broken', 10)).toEqual([]);
  });

  it.each([
    ['no state', ''],
    ['an unknown state', 'state=done'],
    ['an unknown parameter', 'state=ready&page=2'],
    ['a limit of 0', 'state=ready&limit=0'],
    ['a limit of 1,001', 'state=ready&limit=1001'],
    ['an `after` that is no unit', 'state=ready&after=a/b'],
    ['a state twice', 'state=ready&state=broken'],
  ])('refuses %s', async (_name, query) => {
    const { adminRequest } = await startAdminService();
    expect(await codeOf(await adminRequest('GET', `/units?${query}`))).toBe('bad_request');
  });
});
