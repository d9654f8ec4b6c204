import { describe, expect, it } from 'vitest';
import { manifestsIn, startForbidding, streamOf } from '../support/http/ingested-units.ts';
import { startOperated, unitLine } from '../support/http/operator.ts';
import { codeOf, startOrigin } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';

const SRC = 'https://images.test/a.jpg';

describe('POST /units', () => {
  it('accepts units in every form, and keeps their manifests', async () => {
    const { ask, service } = await startForbidding();
    const units: object[] = [
      { id: 'list', images: [SRC, `${SRC}?2`] },
      { id: 'object', images: { 'front.jpg': SRC } },
      { id: '2017', key_urls_map: { front: SRC }, client: 'someone', nested: { a: [1] } },
      { id: 'wants', images: [SRC], widths: [100, 1080, 99_999, 161], formats: ['jpeg'], tiers: ['saver'] },
      { id: 'purge', images: [SRC] },
      { id: '__proto__', images: { constructor: SRC } },
    ];
    const response = await ask('POST', '/units', units.map((unit) => JSON.stringify(unit)).join('\n'));
    expect(response.status).toBe(202);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ accepted: 6, images: 7, refusedCount: 0, refused: [] });
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

  it('refuses bad lines by number and reason, and takes the good ones among them', async () => {
    const { ask, service } = await startForbidding();
    const body = Buffer.concat([
      Buffer.from(`\uFEFF${unitLine('first', SRC).trimEnd()}\r\n`),
      Buffer.from('\r\n\n   \n'),
      Buffer.from('not JSON\n'),
      Buffer.from('"text"\n[]\nnull\n'),
      Buffer.from(`${JSON.stringify({ images: [SRC] })}\n`),
      Buffer.from(unitLine('a/b', SRC) + unitLine('..', SRC) + unitLine('x'.repeat(129), SRC)),
      Buffer.from(unitLine('no-images')),
      Buffer.from(`${JSON.stringify({ id: 'no-list', images: SRC })}\n`),
      Buffer.from(`${JSON.stringify({ id: 'number', images: [SRC, 7] })}\n`),
      Buffer.from(`${JSON.stringify({ id: 'odd', images: [SRC], widths: [0], formats: ['gif'] })}\n`),
      Buffer.from(`{"id":"long","images":["${'x'.repeat(2 ** 20)}"]}\n`),
      Buffer.from([...Buffer.from('{"id":"'), 0xff, 0xfe, ...Buffer.from('"}\n')]),
      Buffer.from(unitLine('last', SRC).trimEnd()),
    ]);
    const response = await ask('POST', '/units', body);
    expect(response.status).toBe(202);
    const answer = (await response.json()) as { refused: object[] };
    expect(answer).toMatchObject({ accepted: 2, images: 2, refusedCount: 14 });
    const refused = (line: number, detail: RegExp) => ({
      line,
      state: 'refused',
      detail: expect.stringMatching(detail),
    });
    expect(answer.refused).toEqual([
      refused(5, /^not JSON: /),
      refused(6, /no JSON object/),
      refused(7, /no JSON object/),
      refused(8, /no JSON object/),
      refused(9, /`id` is missing/),
      refused(10, /`id` must be 1 to 128/),
      refused(11, /`id` must be 1 to 128/),
      refused(12, /`id` must be 1 to 128/),
      refused(13, /`images` is empty/),
      refused(14, /`images` is missing/),
      refused(15, /`images.1` is no text/),
      refused(16, /`widths.0` .*`formats.0` must be of avif, webp, jpeg/),
      refused(17, /longer than 1048576 bytes/),
      refused(18, /not UTF-8/),
    ]);
    expect(Object.keys(await manifestsIn(service.folder)).sort()).toEqual(['first', 'last']);
  });

  it('takes lines that come in pieces', async () => {
    const { send } = await startForbidding();
    const bytes = new TextEncoder().encode(`${unitLine('unit-1', 'https://images.test/ä.jpg')}no`);
    const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(await send(streamOf(pieces))).toMatchObject({ accepted: 1, refused: [{ line: 2 }] });
  });

  it('takes a body without any line for what it is', async () => {
    const { ask, send } = await startForbidding();
    const nothing = { accepted: 0, images: 0, refusedCount: 0, refused: [] };
    expect(await send('')).toEqual(nothing);
    expect(await send('\uFEFF\r\n\n')).toEqual(nothing);
    const response = await ask('POST', '/units');
    expect([response.status, await response.json()]).toEqual([202, nothing]);
  });

  it('goes by the later of two lines about one unit, however far apart', async () => {
    const { send, service } = await startForbidding();
    const others = Array.from({ length: 300 }, (_, index) => unitLine(`other-${index}`, SRC));
    const answer = await send(
      [
        unitLine('far', `${SRC}?1`),
        unitLine('near', `${SRC}?1`),
        unitLine('near', `${SRC}?2`, `${SRC}?3`),
        ...others,
        unitLine('far', `${SRC}?2`),
      ].join(''),
    );
    expect(answer).toEqual({ accepted: 304, images: 305, refusedCount: 0, refused: [] });
    expect(await manifestsIn(service.folder)).toMatchObject({
      near: { images: [{ src: `${SRC}?2` }, { src: `${SRC}?3` }] },
      far: { images: [{ src: `${SRC}?2` }] },
    });
  });

  it('tries again what is remembered as broken only when asked to', async () => {
    const photo = await photograph();
    const gone = { now: true };
    const origin = await startOrigin((_request, response) =>
      gone.now ? response.writeHead(404).end() : response.end(photo),
    );
    const { send, settled } = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const line = unitLine('unit-1', `${origin.url}/a.jpg`);
    await send(line);
    expect((await settled('unit-1')).totals).toMatchObject({ broken: 1 });
    gone.now = false;
    await send(line);
    await send(unitLine('after', `${origin.url}/b.jpg`));
    expect((await settled('after')).totals).toMatchObject({ ready: 1 });
    expect((await settled('unit-1')).totals).toMatchObject({ broken: 1 });
    await send(line, '?retry=1');
    for (;;) if ((await settled('unit-1')).totals.ready === 1) break;
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
  ])('refuses the query %s, naming the parameter', async (query, parameter) => {
    const { ask, service } = await startForbidding();
    const response = await ask('POST', `/units?${query}`, unitLine('unit-1', SRC));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad_request', parameter });
    expect(await manifestsIn(service.folder)).toEqual({});
  });

  it('takes an empty query for none', async () => {
    const { send } = await startForbidding();
    expect(await send(unitLine('unit-1', SRC), '?')).toMatchObject({ accepted: 1 });
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'is the only method: not %s',
    async (method) => {
      const { ask } = await startForbidding();
      const response = await ask(method, '/units');
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
      if (method !== 'HEAD') expect(await codeOf(response)).toBe('method_not_allowed');
    },
  );

  it('answers with less than was sent, however much of it is wrong in however many places', async () => {
    const { ask } = await startForbidding();
    const wrong = `${JSON.stringify({ id: 'unit-1', images: Array.from({ length: 900 }, () => 1) })}\n`;
    const body = wrong.repeat(1000) + 'x\n'.repeat(12_000);
    const text = await (await ask('POST', '/units', body)).text();
    const answer = JSON.parse(text);
    expect(answer.refusedCount).toBe(13_000);
    expect(answer.refused).toHaveLength(10_000);
    expect(answer.refused.at(-1).line).toBe(10_000);
    expect(text.length).toBeLessThan(body.length);
  });

  it('logs one line that tells how many there were', async () => {
    const { send, service } = await startForbidding();
    await send(`${unitLine('unit-1', SRC, `${SRC}?2`)}wrong\n`);
    expect(service.log.filter(({ msg }) => msg === 'request')).toMatchObject([
      { level: 30, method: 'POST', status: 202, units: 1, images: 2, refused: 1 },
    ]);
  });
});
