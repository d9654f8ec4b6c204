import { describe, expect, it } from 'vitest';
import {
  manifestsIn,
  startAdminService,
  startForbiddingService,
  streamOf,
  unitLine,
} from '../support/http/operator.ts';
import { codeOf, startOrigin, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

const SRC = 'https://images.test/a.jpg';

describe('POST /units', () => {
  it('accepts units in every input format and stores their manifests', async () => {
    const { adminRequest, service } = await startForbiddingService();
    const units: object[] = [
      { id: 'list', images: [SRC, `${SRC}?2`] },
      { id: 'object', images: { 'front.jpg': SRC } },
      { id: '2017', key_urls_map: { front: SRC }, client: 'someone', nested: { a: [1] } },
      { id: 'wants', images: [SRC], widths: [100, 1080, 99_999, 161], formats: ['jpeg'], tiers: ['saver'] },
      { id: 'purge', images: [SRC] },
      { id: '__proto__', images: { constructor: SRC } },
    ];
    const response = await adminRequest(
      'POST',
      '/units',
      units.map((unit) => JSON.stringify(unit)).join('\n'),
    );
    expect(response.status).toBe(202);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      ...{ accepted: 6, images: 7, refusedCount: 0, refused: [] },
      notes: [expect.stringMatching(/`client`.* ignored/), expect.stringMatching(/`nested`.* ignored/)],
    });
    const manifests = await manifestsIn(service.folder);
    const usual = { widths: [160], formats: ['webp'], tiers: ['balanced'] };
    expect(manifests).toMatchObject({
      list: { images: [{ src: SRC }, { src: `${SRC}?2` }], ...usual },
      object: { images: [{ src: SRC, name: 'front.jpg' }], ...usual },
      '2017': { images: [{ src: SRC, name: 'front' }], ...usual },
      wants: { widths: [160, 320, 1080, 2048], formats: ['jpeg'], tiers: ['saver'] },
      purge: { images: [{ src: SRC }] },
    });
    expect(manifests['2017']).not.toHaveProperty('client');
  });

  it('refuses invalid lines by number and reason, and accepts the valid ones between them', async () => {
    const { adminRequest, service } = await startForbiddingService();
    const body = Buffer.concat([
      Buffer.from(`\uFEFF${unitLine('first', SRC).trimEnd()}\r\n`),
      Buffer.from('\r\n\n   \n'),
      Buffer.from('not JSON\n'),
      Buffer.from('"text"\n[]\nnull\n'),
      Buffer.from(`${JSON.stringify({ images: [SRC] })}\n`),
      Buffer.from(unitLine('a/b', SRC) + unitLine('..', SRC) + unitLine('x'.repeat(129), SRC)),
      Buffer.from(unitLine('no-images')),
      Buffer.from(`${JSON.stringify({ id: 'no-list', images: 5 })}\n`),
      Buffer.from(`${JSON.stringify({ id: 'number', images: [SRC, 7] })}\n`),
      Buffer.from(`${JSON.stringify({ id: 'odd', images: [SRC], widths: [0], formats: ['gif'] })}\n`),
      Buffer.from(`{"id":"long","images":["${'x'.repeat(2 ** 20)}"]}\n`),
      Buffer.from([...Buffer.from('{"id":"'), 0xff, 0xfe, ...Buffer.from('"}\n')]),
      Buffer.from(unitLine('last', SRC).trimEnd()),
    ]);
    const response = await adminRequest('POST', '/units', body);
    expect(response.status).toBe(202);
    const answer = (await response.json()) as { refused: object[] };
    expect(answer).toMatchObject({ accepted: 2, images: 2, refusedCount: 14 });
    const refused = (line: number, detail: RegExp, unit?: string) => ({
      line,
      ...(unit !== undefined && { unit }),
      state: 'refused',
      detail: expect.stringMatching(detail),
    });
    expect(answer.refused).toEqual([
      refused(5, /not a JSON object: it begins with `n`/),
      refused(6, /not a JSON object/),
      refused(7, /not a JSON object/),
      refused(8, /not a JSON object/),
      refused(9, /`id` is missing/),
      refused(10, /`id` must be 1 to 128/, 'a/b'),
      refused(11, /`id` must be 1 to 128/, '..'),
      refused(12, /`id` must be 1 to 128/, `${'x'.repeat(128)}…`),
      refused(13, /`images` is empty/, 'no-images'),
      refused(14, /`images` is missing/, 'no-list'),
      refused(15, /`images.1` is not a string/, 'number'),
      refused(16, /`widths.0` .*`formats.0` must be one of avif, webp, jpeg/, 'odd'),
      refused(17, /longer than 1048576 bytes/),
      refused(18, /not UTF-8/),
    ]);
    expect(Object.keys(await manifestsIn(service.folder)).sort()).toEqual(['first', 'last']);
  });

  it('accepts lines that arrive one byte at a time', async () => {
    const { ingest } = await startForbiddingService();
    const bytes = new TextEncoder().encode(`${unitLine('unit-1', 'https://images.test/ä.jpg')}no`);
    const chunks = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(await ingest(streamOf(chunks))).toMatchObject({ accepted: 1, refused: [{ line: 2 }] });
  });

  it.each([
    ['nothing', '', /it is empty/],
    ['blank lines', '\uFEFF\r\n\n', /it is empty/],
    [
      'lines that are all refused',
      `{"id":"a"}\n${'x\n'.repeat(3)}`,
      /line 1: `images` is missing.*, and 3 more/,
    ],
    ['CSV without ids', `name,url\nb,${SRC}\n`, /no column `id`: it has `name`, `url`/],
  ])('answers bad_request to %s, with a line to send instead', async (_what, body, detail) => {
    const { adminRequest, service } = await startForbiddingService();
    const response = await adminRequest('POST', '/units', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'bad_request',
      detail: expect.stringMatching(detail),
    });
    expect(await manifestsIn(service.folder)).toEqual({});
  });

  it('says of each refused line why, even if none was accepted', async () => {
    const { ingest } = await startForbiddingService();
    expect(await ingest('{"id":"a","wdiths":[5]}\n')).toMatchObject({
      ...{ code: 'bad_request', accepted: 0, refusedCount: 1 },
      refused: [
        { line: 1, unit: 'a', state: 'refused', detail: expect.stringMatching(/`wdiths`.*`widths`/) },
      ],
      detail: expect.stringContaining('{"id":"unit-1","images":["https://example.com/a.jpg"]}'),
    });
  });

  it('stores the later of two lines with the same id, however far apart they are', async () => {
    const { queueIsEmpty, ingest, service } = await startForbiddingService();
    const others = Array.from({ length: 300 }, (_, index) => unitLine(`other-${index}`, SRC));
    const answer = await ingest(
      [
        unitLine('far', `${SRC}?1`),
        unitLine('near', `${SRC}?1`),
        unitLine('near', `${SRC}?2`, `${SRC}?3`),
        ...others,
        unitLine('far', `${SRC}?2`),
      ].join(''),
    );
    expect(answer).toMatchObject({ accepted: 304, images: 305, refusedCount: 0 });
    expect(answer.notes).toEqual([expect.stringMatching(/the last one counts \(2 times.*`near`, `far`\)/)]);
    // Units that are sent together are in a pack until the work on each begins.
    await queueIsEmpty();
    expect(await manifestsIn(service.folder)).toMatchObject({
      near: { images: [{ src: `${SRC}?2` }, { src: `${SRC}?3` }] },
      far: { images: [{ src: `${SRC}?2` }] },
    });
  });

  it('tries broken sources again only with retry=1', async () => {
    const photo = await photograph();
    let isGone = true;
    const origin = await startOrigin((_request, response) =>
      isGone ? response.writeHead(404).end() : response.end(photo),
    );
    const { ingest, finalStatus } = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const line = unitLine('unit-1', `${origin.url}/a.jpg`);
    await ingest(line);
    expect((await finalStatus('unit-1')).totals).toMatchObject({ broken: 1 });
    isGone = false;
    await ingest(line);
    await ingest(unitLine('after', `${origin.url}/b.jpg`));
    expect((await finalStatus('after')).totals).toMatchObject({ ready: 1 });
    expect((await finalStatus('unit-1')).totals).toMatchObject({ broken: 1 });
    await ingest(line, '?retry=1');
    await until(async () => (await finalStatus('unit-1')).totals.ready === 1);
    expect(origin.requests.filter((path) => path === '/a.jpg')).toHaveLength(2);
  });

  it.each([
    ['retry=0', 'retry'],
    ['retry', 'retry'],
    ['retry=', 'retry'],
    ['retry=1&retry=1', 'retry'],
    ['retry=1&force=1', 'force'],
    ['Retry=1', 'Retry'],
    ['force', 'force'],
    ['=1', ''],
    ['&retry=1', ''],
  ])('refuses the query "%s" and names the parameter', async (query, parameter) => {
    const { adminRequest, service } = await startForbiddingService();
    const response = await adminRequest('POST', `/units?${query}`, unitLine('unit-1', SRC));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad_request', parameter });
    expect(await manifestsIn(service.folder)).toEqual({});
  });

  it('accepts an empty query', async () => {
    const { ingest } = await startForbiddingService();
    expect(await ingest(unitLine('unit-1', SRC), '?')).toMatchObject({ accepted: 1 });
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'answers method_not_allowed if the method is %s',
    async (method) => {
      const { adminRequest } = await startForbiddingService();
      const response = await adminRequest(method, '/units');
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
      expect(await codeOf(response)).toBe('method_not_allowed');
    },
  );

  it('answers with less than it received, however many errors there are', async () => {
    const { adminRequest } = await startForbiddingService();
    const wrong = `${JSON.stringify({ id: 'unit-1', images: Array.from({ length: 900 }, () => 1) })}\n`;
    const body = wrong.repeat(1000) + 'x\n'.repeat(12_000);
    const text = await (await adminRequest('POST', '/units', body)).text();
    const answer = JSON.parse(text);
    expect(answer.refusedCount).toBe(13_000);
    expect(answer.refused).toHaveLength(10_000);
    expect(answer.refused.at(-1).line).toBe(10_000);
    expect(text.length).toBeLessThan(body.length);
  });

  it('logs one line with the counts of units, images and refused lines', async () => {
    const { ingest, service } = await startForbiddingService();
    await ingest(`${unitLine('unit-1', SRC, `${SRC}?2`)}wrong\n`);
    expect(service.log.filter(({ msg }) => msg === 'request')).toMatchObject([
      { level: 30, method: 'POST', status: 202, units: 1, images: 2, refused: 1 },
    ]);
  });
});
