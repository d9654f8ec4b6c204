import { describe, expect, it } from 'vitest';
import { startOperated, TOKEN, unitLine } from '../support/http/operator.ts';
import { codeOf, startService } from '../support/http/service.ts';

const UNIT = unitLine('unit-1', 'https://images.test/a.jpg');

/** A request for each of the operators' routes. */
const ROUTES: [method: string, target: string, body?: string][] = [
  ['POST', '/units', UNIT],
  ['POST', '/units?retry=1', UNIT],
  ['GET', '/units/unit-1'],
  ['HEAD', '/units/unit-1'],
  ['DELETE', '/units/unit-1'],
  ['POST', '/units/purge', '{"ids":["unit-1"]}'],
  ['GET', '/metrics'],
  ['HEAD', '/metrics'],
];

/** What is no route, or no way to use one: also that is told only to those who may know. */
const BESIDES: typeof ROUTES = [
  ['GET', '/units'],
  ['DELETE', '/units'],
  ['OPTIONS', '/units'],
  ['PUT', '/units/unit-1'],
  ['OPTIONS', '/units/unit-1'],
  ['GET', '/units/'],
  ['GET', '/units/a/b'],
  ['GET', '/units/%2e%2e'],
  ['POST', '/units/../units'],
  ['POST', '/units?wrong=1', UNIT],
  ['POST', '/units/purge', 'not JSON'],
  ['POST', '/metrics'],
  ['POST', 'http://elsewhere.test/units', UNIT],
];

describe('without a token configured', () => {
  it('the routes of the operators do not exist, whatever is sent', async () => {
    const service = await startService();
    for (const headers of [{}, { Authorization: `Bearer ${TOKEN}` }, { Authorization: 'Bearer undefined' }]) {
      for (const [method, target, body] of [...ROUTES, ...BESIDES]) {
        const response = await service.request(target, { method, headers, body: body ?? null });
        expect(response.status, `${method} ${target}`).toBe(404);
        expect(response.headers.get('www-authenticate')).toBeNull();
        if (method !== 'HEAD') expect(await codeOf(response)).toBe('not_found');
      }
    }
  });
});

describe('with a token configured', () => {
  const wrong: Record<string, string | undefined> = {
    none: undefined,
    empty: '',
    'the token alone': TOKEN,
    'another one': 'Bearer wrong',
    'a longer one': `Bearer ${TOKEN}x`,
    'a shorter one': `Bearer ${TOKEN.slice(0, -1)}`,
    'another case': `Bearer ${TOKEN.toUpperCase()}`,
    'no token': 'Bearer',
    'a space for a token': 'Bearer  ',
    'another scheme': `Basic ${TOKEN}`,
    'a scheme that begins like it': `Bearerx ${TOKEN}`,
    'no space between': `Bearer${TOKEN}`,
    quoted: `Bearer "${TOKEN}"`,
    'two of them': `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    'one after another': `Bearer ${TOKEN} ${TOKEN}`,
    'a tab between': `Bearer\t${TOKEN}`,
    'what is not ASCII': `Bearer ${TOKEN}\u00e9`,
    'very long': `Bearer ${'x'.repeat(100_000)}`,
    'very many spaces': `Bearer${' '.repeat(100_000)}x y`,
  };

  it.each(Object.entries(wrong))('is asked for where there is %s', async (_what, authorization) => {
    const { service } = await startOperated();
    const headers: Record<string, string> =
      authorization === undefined ? {} : { Authorization: authorization };
    const response = await service.request('/units/unit-1', { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await codeOf(response)).toBe('unauthorized');
  });

  it('is asked for before anything else is looked at', async () => {
    const { service, ask } = await startOperated();
    for (const [method, target, body] of [...ROUTES, ...BESIDES]) {
      const headers = { Authorization: 'Bearer wrong' };
      const response = await service.request(target, { method, headers, body: body ?? null });
      expect(response.status, `${method} ${target}`).toBe(401);
      expect(response.headers.get('allow')).toBeNull();
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const text = await response.text();
      if (method === 'HEAD') expect(text).toBe('');
      else expect(JSON.parse(text)).toMatchObject({ code: 'unauthorized', status: 401 });
    }
    expect((await ask('GET', '/units/unit-1')).status).toBe(404);
  });

  it.each([
    ['as it is usually written', `Bearer ${TOKEN}`],
    ['in any case of the scheme', `bEARER ${TOKEN}`],
    ['after several spaces, and before some', `Bearer   ${TOKEN}  `],
  ])('opens the routes %s', async (_how, authorization) => {
    const { service } = await startOperated();
    const headers = { Authorization: authorization };
    expect((await service.request('/metrics', { headers })).status).toBe(200);
    expect((await service.request('/units', { method: 'POST', headers, body: UNIT })).status).toBe(202);
  });

  it('is asked of nobody for images and for liveness', async () => {
    const { service } = await startOperated();
    expect((await service.request('/healthz')).status).toBe(200);
    expect(await codeOf(await service.request('/u/unit-1'))).toBe('bad_request');
    expect(await codeOf(await service.request('/unitsx'))).toBe('not_found');
    expect(await codeOf(await service.request('/metricsx'))).toBe('not_found');
  });

  it('is in no log line, whether it is the right one or not', async () => {
    const { service, ask } = await startOperated();
    const wrongToken = 'guessed-by-somebody';
    for (const [method, target, body] of [...ROUTES, ...BESIDES]) {
      await ask(method, target, body);
      const headers = { Authorization: `Bearer ${wrongToken}` };
      await service.request(target, { method, headers, body: body ?? null });
    }
    expect(service.log.length).toBeGreaterThan(2 * ROUTES.length);
    expect(JSON.stringify(service.log)).not.toContain(TOKEN);
    expect(JSON.stringify(service.log)).not.toContain(wrongToken);
  });
});
