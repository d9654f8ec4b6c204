import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { IMAGE_PATH_PREFIX } from '../../../src/protocol/request.ts';
import { TOKEN } from '../../support/http/operator.ts';
import {
  codeOf,
  setUpPhotograph,
  startHeldOrigin,
  startOrigin,
  startService,
  until,
} from '../../support/http/service.ts';
import { photograph, quarters } from '../../support/pictures.ts';

const SIGNING_KEYS = `k:${'00'.repeat(16)}`;

const pageFor = (src: string, more = '') => `/?src=${encodeURIComponent(src)}&w=160${more}`;

/** Returns a page below its navigation. */
async function contentOf(page: Promise<Response>): Promise<string> {
  return (await (await page).text()).replace(/^.*<main/s, '');
}

/** Returns the values of an attribute in a page, as a browser reads them. */
function attributes(page: string, name: string): string[] {
  return [...page.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) =>
    value.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'),
  );
}

describe('The playground', () => {
  it('asks for an image, and offers the width ladder', async () => {
    const service = await startService({ WIDTHS: '200,400', DEFAULT_WIDTH: '400' });
    const response = await service.request('/');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ]);
    const page = await response.text();
    expect(page).toMatch(/<option value="200">200 px<\/option><option value="400" selected="">/);
    expect(page).not.toContain('Before and after');
  });

  it('shows every tier and format of an image, whose URLs the service answers', async () => {
    const { service, src, photo } = await setUpPhotograph();
    const page = await (await service.request(pageFor(src))).text();
    const paths = attributes(page, 'data-path');
    expect(paths).toHaveLength(9);
    expect(new Set(paths).size).toBe(9);
    for (const path of paths) {
      expect((await service.request(path)).headers.get('content-type')).toMatch(/^image\//);
    }
    expect(attributes(page, 'data-bytes')).toEqual([String(photo.byteLength)]);
  });

  it('says what the first variant took without asking again', async () => {
    const { service, src, origin } = await setUpPhotograph();
    const page = await (await service.request(pageFor(src))).text();
    const [made = '{}'] = attributes(page, 'data-made');
    expect(JSON.parse(made)).toMatchObject({
      type: 'image/avif',
      cacheStatus: 'edgepress; fwd=miss; stored',
      serverTiming: expect.stringMatching(/store;dur=.*fetch;dur=.*encode;dur=/),
    });
    expect(origin.requests).toHaveLength(1);
  });

  it('signs the URLs where keys are configured, for those who have logged in', async () => {
    const { service, src } = await setUpPhotograph({ SIGNING_KEYS, ADMIN_TOKEN: TOKEN });
    const login = await service.request('/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' },
      body: new URLSearchParams({ token: TOKEN }).toString(),
    });
    const headers = { Cookie: login.headers.get('set-cookie')?.split(';', 1)[0] ?? '' };
    const page = await (await service.request(pageFor(src), { headers })).text();
    for (const path of attributes(page, 'data-path')) {
      expect(path).toMatch(/&sig=k\./);
      expect((await service.request(path)).status).toBe(200);
    }
    const original = attributes(page, 'src').find((each) => each.startsWith('/playground/')) ?? '';
    expect((await service.request(original)).status).toBe(303);
    expect((await service.request(original, { headers })).status).toBe(200);
  });

  it('does not exist where URLs are signed and nobody can log in', async () => {
    const { service, src } = await setUpPhotograph({ SIGNING_KEYS });
    expect(await codeOf(await service.request('/'))).toBe('not_found');
    expect(await codeOf(await service.request(`/playground/original?src=${encodeURIComponent(src)}`))).toBe(
      'not_found',
    );
  });

  it.each(['/', '/playground/original?src=https%3A%2F%2Fexample.com%2Fa.jpg'])(
    'opens at no name that another site could have lead here, where nobody has to log in: %s',
    async (target) => {
      const service = await startService({
        PUBLIC_URL: 'http://images.example.com',
        SOURCE_ALLOW: 'https://example.org/*',
      });
      const answers = (host: string) =>
        service.app.request(`http://${host}${target}`, {}, { incoming: { url: target } });
      const refused = await answers('evil.test');
      expect(refused.status).toBe(400);
      expect((await refused.json()) as object).toMatchObject({
        code: 'bad_request',
        detail: expect.stringContaining('PUBLIC_URL'),
      });
      for (const host of ['127.0.0.1:3000', '[::1]:3000', 'localhost', 'images.example.com'])
        expect((await answers(host)).status, host).not.toBe(400);
    },
  );

  it('refuses other methods', async () => {
    const service = await startService();
    expect(await codeOf(await service.request('/', { method: 'POST' }))).toBe('method_not_allowed');
    const original = await service.request('/playground/original', { method: 'DELETE' });
    expect(await codeOf(original)).toBe('method_not_allowed');
  });

  it('allows nothing from elsewhere, no frame around it, and no copy of it', async () => {
    const { service, src } = await setUpPhotograph();
    const { headers } = await service.request(pageFor(src));
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((part) => part.split(/ (.*)/, 2)),
    );
    expect(policy).toMatchObject({
      'default-src': "'none'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    });
    expect(policy['script-src']).toMatch(/^('sha256-[\w+/=]+' ?)+$/);
    expect(policy['style-src']).toMatch(/^'sha256-[\w+/=]+'$/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is less than 60 kB', async () => {
    const { service, src } = await setUpPhotograph({ SIGNING_KEYS: '' });
    const page = await (await service.request(pageFor(src))).text();
    expect(Buffer.byteLength(page)).toBeLessThan(60_000);
  });

  it.each(['"><script>alert(1)</script>', "' onerror='alert(1)", '</title><img src=x onerror=alert(1)>'])(
    'shows what was sent as text: %s',
    async (text) => {
      const { service, src } = await setUpPhotograph();
      for (const target of [
        pageFor(`${src}?${text}`),
        pageFor(text),
        pageFor(src, `&unit=${encodeURIComponent(text)}`),
      ]) {
        const page = await contentOf(service.request(target));
        expect(page).not.toContain(text);
        // What is left of the elements without the values of their attributes.
        const bare = page.replace(/<script.*/s, '').replaceAll(/"[^"]*"/g, '');
        expect(bare).not.toMatch(/<[^>]*(\son\w+=|alert)/);
      }
    },
  );
});

describe('A problem in the playground', () => {
  it.each([
    ['an address that is not there', 404, 'gone', 'There is no image at this address', '404 from the source'],
    ['a page', 200, '<!doctype html><p>Hello', 'What is at this address is no image', 'HTML'],
    ['half of an image', 200, 'half', 'The image is damaged', 'damaged'],
    ['a server that fails', 500, 'oops', 'The server of the image does not answer as it should', '500'],
  ])('is told in plain words for %s', async (_what, status, body, title, detail) => {
    const photo = await photograph();
    const answer = body === 'half' ? photo.subarray(0, photo.byteLength / 2) : body;
    const origin = await startOrigin((_request, response) => response.writeHead(status).end(answer));
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const page = await contentOf(service.request(pageFor(`${origin.url}/a.jpg`)));
    expect(page).toContain(title);
    expect(page).toContain(detail);
    expect(page).not.toContain('Before and after');
  });

  it('is told for what the service may not fetch, and for what is no URL', async () => {
    const service = await startService();
    const told = (target: string) => contentOf(service.request(target));
    expect(await told(pageFor('http://127.0.0.1:1/a.jpg'))).toContain(
      'This service may not fetch that image',
    );
    expect(await told(pageFor('photo.jpg'))).toContain('The form has a mistake');
    expect(await told(pageFor('https://example.com/a.jpg', '&unit=a%2Fb'))).toContain(
      'unit must be 1 to 128 characters',
    );
  });

  it('leaves the form as it was filled in', async () => {
    const service = await startService();
    const page = await (
      await service.request(pageFor('http://127.0.0.1:1/a.jpg', '&unit=mine&q=high'))
    ).text();
    expect(attributes(page, 'value')).toEqual(
      expect.arrayContaining(['http://127.0.0.1:1/a.jpg', 'mine', 'high', '160']),
    );
    expect(page).toMatch(/value="high" selected=""/);
    expect(page).toMatch(/value="160" selected=""/);
  });
});

describe('The original in the playground', () => {
  it('is sent as it is, for this service only, and runs nothing', async () => {
    const { service, src, photo } = await setUpPhotograph();
    const page = await (await service.request(pageFor(src))).text();
    const target = attributes(page, 'src').find((each) => each.startsWith('/playground/original')) ?? '';
    const response = await service.request(target);
    expect(Buffer.from(await response.arrayBuffer()).equals(photo)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/jpeg',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
  });

  it('is a variant where browsers do not show its type', async () => {
    const tiff = await quarters(320, 240).tiff().toBuffer();
    const origin = await startOrigin((_request, response) => response.end(tiff));
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const page = await (await service.request(pageFor(`${origin.url}/a.tiff`))).text();
    expect(page).toContain('Browsers do not show image/tiff');
    const shown = attributes(page, 'src').filter((each) => each.startsWith(IMAGE_PATH_PREFIX));
    expect(shown).toEqual([expect.stringMatching(/f=avif$/), expect.stringMatching(/w=2048&q=high&f=webp$/)]);
  });

  it('waits for its turn among the fetches of its host, and is refused while the service drains', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, CONCURRENCY: '1' });
    const open = (name: string) =>
      service.request(`/playground/original?src=${encodeURIComponent(`${origin.url}/${name}.jpg`)}`);
    const begin = (response: ServerResponse) => response.writeHead(200).write('\xff');
    const asked = Array.from({ length: 9 }, (_, index) => open(String(index)));
    await until(() => held.length === 8);
    for (const response of held) begin(response);
    const drained = service.stop();
    expect(await codeOf(await (asked[8] as Promise<Response>))).toBe('overloaded');
    expect(await codeOf(await open('late'))).toBe('overloaded');
    answerAll((response) => response.end());
    for (const each of asked.slice(0, 8)) expect(await codeOf(await each)).toBe('source_not_image');
    await drained;
    expect(origin.requests).toHaveLength(8);
  });

  it('is given up when the visitor leaves, as any image is', async () => {
    const { origin, held } = await startHeldOrigin();
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const leaving = new AbortController();
    const target = `/playground/original?src=${encodeURIComponent(`${origin.url}/a.jpg`)}`;
    const asked = service.request(target, { signal: leaving.signal });
    await until(() => held.length === 1);
    leaving.abort();
    expect((await asked).status).toBe(499);
    expect(service.log.filter(({ level }) => Number(level) >= 50 || level === 'error')).toEqual([]);
  });

  it('is refused for what is no image, and for what the service may not fetch', async () => {
    const origin = await startOrigin((_request, response) => response.end('<script>alert(1)</script>'));
    const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const codeFor = async (src: string) =>
      codeOf(await service.request(`/playground/original?src=${encodeURIComponent(src)}`));
    expect(await codeFor(`${origin.url}/a.jpg`)).toBe('source_not_image');
    expect(await codeFor('http://127.0.0.1:1/a.jpg')).toBe('source_forbidden');
    expect(await codeFor('file:///etc/passwd')).toBe('bad_request');
    expect(await codeFor('')).toBe('bad_request');
  });
});
