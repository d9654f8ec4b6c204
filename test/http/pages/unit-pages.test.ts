import { describe, expect, it } from 'vitest';
import { startCdnApi } from '../../support/cdn-api.ts';
import { startAdminService, startWithUnits, TOKEN, unitLine } from '../../support/http/operator.ts';
import { codeOf, startHeldOrigin, until } from '../../support/http/service.ts';
import { eventsOf, logIn, textOf, unitsForm } from '../../support/http/visitor.ts';

/** A page without its pictures may weigh so much. */
const MAX_PAGE_BYTES = 60_000;

async function startWithVisitor(ids: readonly string[] = ['unit-1'], env: Record<string, string> = {}) {
  const admin = await startWithUnits(ids, env);
  return { ...admin, visitor: await logIn(admin.service) };
}

describe('GET /units for a browser', () => {
  it('sends who has not logged in to the form for the token, and then back', async () => {
    const { service } = await startAdminService();
    const response = await service.request('/units?state=broken', { headers: { Accept: 'text/html' } });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`/login?next=${encodeURIComponent('/units?state=broken')}`);
  });

  it('shows some units of each state, with links to them and to all', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `unit-${index}`);
    const { visitor } = await startWithVisitor(ids);
    const response = await visitor.open('/units');
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    const html = await response.text();
    expect(html.match(/href="\/units\/unit-\d+"/g)).toHaveLength(10);
    expect(html).toContain('href="/units?state=broken"');
    expect(Buffer.byteLength(html)).toBeLessThan(MAX_PAGE_BYTES);
  });

  it('lists the units of a state in pages', async () => {
    const { visitor } = await startWithVisitor(['unit-1', 'unit-2', 'unit-3']);
    const first = await (await visitor.open('/units?state=broken&limit=2')).text();
    const [, next = ''] = /href="([^"]+)">\s*Next page/.exec(first) ?? [];
    const second = await (await visitor.open(next.replaceAll('&amp;', '&'))).text();
    const shown = `${first}${second}`;
    for (const id of ['unit-1', 'unit-2', 'unit-3']) expect(shown.split(`"/units/${id}"`)).toHaveLength(2);
  });

  it('opens a unit by its id, and says what an id is', async () => {
    const { visitor } = await startWithVisitor();
    const found = await visitor.open('/units?id=+unit-1+');
    expect([found.status, found.headers.get('location')]).toEqual([303, '/units/unit-1']);
    expect(await textOf(await visitor.open('/units?id=a%2Fb'))).toContain(
      'The id of a unit must be 1 to 128',
    );
  });

  it('answers programs with JSON as before, with and without the session', async () => {
    const { adminRequest, visitor, service } = await startWithVisitor();
    expect(await (await adminRequest('GET', '/units?state=broken')).json()).toMatchObject({
      state: 'broken',
    });
    const both = { ...visitor.headers, Authorization: `Bearer ${TOKEN}` };
    const response = await service.request('/units/unit-1', { headers: both });
    expect(await response.json()).toMatchObject({ id: 'unit-1' });
    const cookieAlone = { Cookie: visitor.headers.Cookie, Accept: '*/*' };
    expect(await codeOf(await service.request('/units/unit-1', { headers: cookieAlone }))).toBe(
      'unauthorized',
    );
  });

  it('says on a page what is wrong with the address', async () => {
    const { visitor } = await startWithVisitor();
    for (const target of ['/units?state=done', '/units?watch=a%2Fb', '/units/%2e%2e']) {
      const response = await visitor.open(target);
      expect(response.status, target).toBe(400);
      expect(await textOf(response)).toContain('That did not work');
    }
  });
});

describe('The form that sends units', () => {
  it('takes pasted units, shows refused lines by number and reason, and follows the others', async () => {
    const { visitor, src, finalStatus } = await startWithVisitor([]);
    const response = await visitor.send('/units', unitsForm(`${unitLine('good', src)}not a unit\n`));
    expect(response.status).toBe(200);
    const html = await response.clone().text();
    expect(html).toContain('data-target="/units?watch=good"');
    const text = await textOf(response);
    expect(text).toContain('1 unit with 1 image was taken.');
    expect(text).toMatch(/Line 2 *: *it is not a JSON object/);
    expect((await finalStatus('good')).totals.ready).toBe(1);
  });

  it('takes a file of CSV', async () => {
    const { visitor, src, finalStatus } = await startWithVisitor([]);
    const file = new File([`id,image_url\nfrom-csv,${src}\n`], 'units.csv', { type: 'text/csv' });
    expect(await textOf(await visitor.send('/units', unitsForm('', { file })))).toContain(
      '1 unit with 1 image',
    );
    expect((await finalStatus('from-csv')).totals.ready).toBe(1);
  });

  it('fetches broken images again at once when it is told to', async () => {
    const { visitor, src, statusOf, queueIsEmpty } = await startWithVisitor(['unit-1']);
    const before = (await statusOf('unit-1')).images[1];
    const gone = src.replace('a.jpg', 'gone');
    await visitor.send('/units', unitsForm(unitLine('unit-1', src, gone), { retry: '1' }));
    await queueIsEmpty();
    expect((await statusOf('unit-1')).images[1]).not.toEqual(before);
  });

  it.each([
    ['nothing', unitsForm(''), 'it is empty'],
    ['an image', unitsForm('', { file: new File(['x'], 'a.png', { type: 'image/png' }) }), 'has no units'],
    ['a text and a file', unitsForm('a', { file: new File(['b'], 'b.csv') }), 'send one of them'],
  ])('says what is wrong with %s, beside the form', async (_what, form, expected) => {
    const { service } = await startAdminService();
    const visitor = await logIn(service);
    const response = await visitor.send('/units', form);
    expect(response.status).toBe(400);
    const text = await textOf(response);
    expect(text).toContain(expected);
    expect(text).toContain('Send units');
  });

  it('gives the text back when no line of it is a unit', async () => {
    const { service } = await startAdminService();
    const visitor = await logIn(service);
    const html = await (await visitor.send('/units', unitsForm('{"id": "<b>"}'))).text();
    expect(html).toContain('{&quot;id&quot;: &quot;&lt;b&gt;&quot;}</textarea>');
    expect(html).toContain('No unit was taken');
    expect(html).not.toContain('<b>');
  });

  it('refuses more than its limit with the way to send more', async () => {
    const { service } = await startAdminService();
    const visitor = await logIn(service);
    const file = new File(['x'.repeat(17 * 2 ** 20)], 'large.csv');
    const response = await visitor.send('/units', unitsForm('', { file }));
    expect(response.status).toBe(400);
    expect(await textOf(response)).toContain('edgepress prewarm FILE');
  });

  it('refuses forms of other sites', async () => {
    const { visitor, statusOf, src } = await startWithVisitor();
    const [form, purge] = [unitsForm(unitLine('evil', src)), new URLSearchParams({ afterwards: 'nothing' })];
    for (const [target, body] of [
      ['/units', form],
      ['/units/unit-1/purge', purge],
      ['/units/unit-1/warm', purge],
    ] as const) {
      const response = await visitor.send(target, body, 'https://evil.test');
      expect(response.status).toBe(400);
      expect(await textOf(response)).toContain('not sent from a page of this service');
    }
    expect((await statusOf('unit-1')).totals.ready).toBe(1);
  });
});

describe('The page of a unit', () => {
  it('shows each image with its state, bytes before and after, and the reason of a broken one in plain words', async () => {
    const { visitor } = await startWithVisitor();
    const response = await visitor.open('/units/unit-1');
    const html = await response.clone().text();
    expect(html).toMatch(/<img src="\/u\/unit-1\?src=[^"]+" alt="a.jpg"/);
    expect(Buffer.byteLength(html)).toBeLessThan(MAX_PAGE_BYTES);
    const text = await textOf(response);
    expect(text).toContain('1 of 2 images ready, 1 broken.');
    expect(text).toMatch(/[\d.]+ kB before, [\d.]+ kB at most now: [\d.]+% less/);
    expect(text).toContain('There is no image at this URL.');
    expect(text).toMatch(/source_not_found status 404/);
    expect(text).toMatch(/Not tried again before .+ UTC \(in 59 minutes\)/);
  });

  it('escapes what clients have named and answered', async () => {
    const { visitor, ingest, queueIsEmpty, src } = await startWithVisitor([]);
    const named = { '<img src=x onerror=alert(1)>': src, b: 'javascript:alert(1)', c: `${src}"><script>` };
    await ingest(`${JSON.stringify({ id: 'odd', images: named })}\n`);
    await queueIsEmpty();
    const html = await (await visitor.open('/units/odd')).text();
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('href="javascript:');
    expect(html).not.toContain('"><script>');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  it('shows the images of a large unit in pages, and those of one state alone', async () => {
    const { visitor, ingest, queueIsEmpty, src } = await startWithVisitor([]);
    const images = Array.from({ length: 60 }, (_, index) =>
      index < 10 ? `${src}?${index}` : `ftp://x/${index}`,
    );
    await ingest(unitLine('large', ...images));
    await queueIsEmpty();
    const html = await (await visitor.open('/units/large')).text();
    expect(Buffer.byteLength(html)).toBeLessThan(MAX_PAGE_BYTES);
    expect(html.match(/class="card image"/g)).toHaveLength(25);
    expect(await textOf(await visitor.open('/units/large?from=50'))).toContain('51 to 60 of 60 images');
    const broken = await textOf(await visitor.open('/units/large?show=broken'));
    expect(broken).toContain('Broken (50)');
    expect(broken).not.toContain('160 px, balanced');
  });

  it('answers 404 with help for a unit that there is not', async () => {
    const { visitor } = await startWithVisitor();
    const response = await visitor.open('/units/unit-9');
    expect(response.status).toBe(404);
    expect(await textOf(response)).toContain('It was never sent, or it was purged since.');
  });

  it('names what a purge would delete, deletes it once it is confirmed, and says what was deleted', async () => {
    const { visitor, adminRequest } = await startWithVisitor();
    const asked = await textOf(await visitor.open('/units/unit-1/purge'));
    const [, objects] = /(\d+) objects, [\d.]+ kB : all variants of 2 images/.exec(asked) ?? [];
    expect(Number(objects)).toBeGreaterThan(2);
    expect((await adminRequest('GET', '/units/unit-1')).status).toBe(200);
    const said = await textOf(
      await visitor.send('/units/unit-1/purge', new URLSearchParams({ afterwards: 'nothing' })),
    );
    expect(said).toContain(`Deleted from the store: ${objects} objects`);
    expect(said).toMatch(/No CDN is configured.+cache tag u-[0-9a-f]{32}/);
    expect((await adminRequest('GET', '/units/unit-1')).status).toBe(404);
    expect((await visitor.open('/units/unit-1/purge')).status).toBe(404);
  });

  it('says which CDN was told of a purge, and what is left when the CDN fails', async () => {
    let status = 200;
    const { endpoint, calls } = await startCdnApi(() => ({ status }));
    const { service, visitor } = await startWithVisitor(['unit-1', 'unit-2'], { CDN: `${endpoint}/purge` });
    expect(await textOf(await visitor.open('/units/unit-1/purge'))).toContain(
      'The CDN is told to drop its copies.',
    );
    const form = new URLSearchParams({ afterwards: 'nothing' });
    const said = await textOf(await visitor.send('/units/unit-1/purge', form));
    expect(said).toContain('Told the CDN to drop its copies: 127.0.0.1:');
    expect(said).not.toContain('No CDN is configured');
    expect(calls).toHaveLength(1);
    status = 400;
    const failed = await visitor.send('/units/unit-2/purge', form);
    expect(failed.status).toBe(503);
    expect(await textOf(failed)).toContain(
      'Nothing of this is left in the store, but the CDN may still have copies',
    );
    await service.stop();
  });

  it('makes a unit anew after a purge when it is told to', async () => {
    const { visitor, finalStatus } = await startWithVisitor();
    const said = await textOf(
      await visitor.send('/units/unit-1/purge', new URLSearchParams({ afterwards: 'warm' })),
    );
    expect(said).toContain('Watch it being made anew');
    expect((await finalStatus('unit-1')).totals).toMatchObject({ ready: 1, broken: 1 });
  });

  it('tries broken images again, and leads to where that can be watched', async () => {
    const { visitor, statusOf, queueIsEmpty } = await startWithVisitor();
    const before = (await statusOf('unit-1')).images[1];
    const response = await visitor.send('/units/unit-1/warm', new URLSearchParams());
    expect([response.status, response.headers.get('location')]).toEqual([303, '/units?watch=unit-1']);
    await queueIsEmpty();
    expect((await statusOf('unit-1')).images[1]).not.toEqual(before);
  });
});

describe('The events of units', () => {
  async function startHeld() {
    const { origin, held, answerAll } = await startHeldOrigin();
    const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const visitor = await logIn(admin.service);
    return { ...admin, visitor, held, answerAll, src: `${origin.url}/a.jpg` };
  }

  it('tell of each unit as its images become ready or broken, and that all is done', async () => {
    const { visitor, ingest, answerAll, held, src } = await startHeld();
    await ingest(unitLine('one', src) + unitLine('two', `${src}?2`, 'ftp://x'));
    await until(() => held.length === 2);
    const response = await visitor.listen('/units?watch=one,two');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const seen: string[] = [];
    const rows = new Map<string, string>();
    for await (const { event, data } of eventsOf(response)) {
      seen.push(event);
      const [, id = event] = /id="([^"]+)"/.exec(data) ?? [];
      rows.set(id, data);
      // What is not done yet is on the way.
      if (rows.size === 4) answerAll();
    }
    expect(seen.at(0)).toBe('begin');
    expect(seen.at(-1)).toBe('done');
    expect(rows.get('watched-one')).toContain('1 image ready');
    expect(rows.get('watched-two')).toContain('1 of 2 images ready, 1 broken');
    expect(rows.get('watched-two')).toContain('This is not a URL that can be fetched');
    expect(rows.get('totals')).toMatch(/2 of 2 units done.+2 of 3 images ready, 1 broken/s);
  });

  it('count all units on the queue when more were sent than are followed', async () => {
    const { visitor, answerAll, held, src } = await startHeld();
    const lines = Array.from({ length: 60 }, (_, index) =>
      unitLine(`unit-${index}`, index < 55 ? 'ftp://x' : src),
    );
    const html = await (await visitor.send('/units', unitsForm(lines.join('')))).text();
    expect(html).toContain('The first 50 are shown here');
    await until(() => held.length === 5);
    const [, target = ''] = /data-watch="([^"]+)"/.exec(html) ?? [];
    const waiting: string[] = [];
    let last = '';
    for await (const { event, data } of eventsOf(await visitor.listen(target.replaceAll('&amp;', '&')))) {
      last = event;
      if (event !== 'waiting') continue;
      waiting.push(data);
      answerAll();
    }
    expect(waiting.at(0)).toMatch(/About \d+ units in all wait or are being made/);
    expect(waiting.at(-1)).toContain('No unit waits any more.');
    expect(last).toBe('done');
  });

  it('end when the process drains', async () => {
    const { visitor, ingest, held, answerAll, service, src } = await startHeld();
    await ingest(unitLine('one', src));
    await until(() => held.length === 1);
    const seen: string[] = [];
    for await (const { event } of eventsOf(await visitor.listen('/units?watch=one'))) {
      seen.push(event);
      if (event === 'totals') void service.stop();
    }
    expect(seen).toEqual(['begin', 'unit', 'totals']);
    expect(await codeOf(await visitor.listen('/units?watch=one'))).toBe('overloaded');
    answerAll();
  });

  it('are for so many viewers at a time: the next one is told, until one leaves', async () => {
    const { visitor, ingest, held, answerAll, src } = await startHeld();
    await ingest(unitLine('one', src));
    await until(() => held.length === 1);
    const open: Response[] = [];
    let refused: Response | undefined;
    while (!refused) {
      const response = await visitor.listen('/units?watch=one');
      if (response.status === 200) open.push(response);
      else refused = response;
    }
    expect(open).toHaveLength(32);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(await codeOf(refused)).toBe('overloaded');
    await open[0]?.body?.cancel();
    await until(async () => {
      const response = await visitor.listen('/units?watch=one');
      const { status } = response;
      await response.body?.cancel();
      return status === 200;
    });
    for (const { body } of open.slice(1)) await body?.cancel();
    answerAll();
  });

  it('say that a unit was purged, and need a session', async () => {
    const { visitor, service } = await startWithVisitor([]);
    const events: string[] = [];
    for await (const { data } of eventsOf(await visitor.listen('/units?watch=gone'))) events.push(data);
    expect(events.join()).toContain('there is no such unit now');
    const response = await service.request('/units?watch=gone', { headers: { Accept: 'text/event-stream' } });
    expect(await codeOf(response)).toBe('unauthorized');
  });
});
