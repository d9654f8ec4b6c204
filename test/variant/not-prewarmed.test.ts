import { expect, it } from 'vitest';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { startOrigin } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

/** A service that has prewarmed `unit-1` as WebP of 160 pixels, and requests for its image. */
async function setUp() {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const admin = await startAdminService({
    SOURCE_ALLOW_PRIVATE: origin.authority,
    SOURCE_IGNORED_PARAMETERS: '{"127.0.0.1": ["token"]}',
    PREWARM_EFFORT: 'fast',
  });
  await admin.ingest(unitLine('unit-1', `${origin.url}/a.jpg?token=1`));
  await admin.queueIsEmpty();
  const { service } = admin;

  /** Returns what the log line and the metric say of a request. */
  async function request(query: string, headers: Record<string, string> = {}, unit = 'unit-1') {
    const before = await admin.metrics();
    const src = `${origin.url}${query.startsWith('/') ? query : `/a.jpg?token=2&${query}`}`;
    const [path = '', parameters = ''] = src.split('&');
    const target = `/u/${unit}?src=${encodeURIComponent(path)}&${parameters.replaceAll(';', '&')}`;
    const response = await service.request(target, { headers });
    await response.arrayBuffer();
    const after = await admin.metrics();
    const counted = ['source', 'format', 'width', 'tier'].filter((reason) => {
      const name = `edgepress_not_prewarmed_total{reason="${reason}"}`;
      return after.get(name) !== before.get(name);
    });
    const line = service.log.findLast(({ msg, unit: id }) => msg === 'request' && id === unit);
    return { status: response.status, outcome: line?.['outcome'], said: line?.['notPrewarmed'], counted };
  }
  return { request };
}

it('A miss of a prewarmed unit says in its log line and in a metric what prewarm does not make', async () => {
  const { request } = await setUp();
  const miss = (...gaps: string[]) => ({
    ...{ status: 200, outcome: 'miss', said: gaps.join(','), counted: gaps },
  });
  expect(await request('w=160')).toEqual(miss('format'));
  expect(await request('w=320;f=webp')).toEqual(miss('width'));
  expect(await request('w=160;f=webp', { 'save-data': 'on' })).toEqual(miss('tier'));
  expect(await request('w=320', { 'save-data': 'on' })).toEqual(miss('format', 'width', 'tier'));
  expect(await request('/other.jpg&w=160;f=webp')).toEqual(miss('source'));
});

it('A hit, and a miss of a unit that was never sent, say nothing', async () => {
  const { request } = await setUp();
  const quiet = { said: undefined, counted: [] };
  expect(await request('w=160', { accept: 'image/webp' })).toMatchObject({ outcome: 'hit', ...quiet });
  expect(await request('w=320;f=webp')).toMatchObject({ outcome: 'miss', said: 'width' });
  expect(await request('w=320;f=webp')).toMatchObject({ outcome: 'hit', ...quiet });
  expect(await request('w=320', {}, 'unit-2')).toMatchObject({ outcome: 'miss', ...quiet });
});
