import { describe, expect, it } from 'vitest';
import { startAdminService, TOKEN, unitLine } from '../support/http/operator.ts';
import { codeOf, startService } from '../support/http/service.ts';

const UNIT = unitLine('unit-1', 'https://images.test/a.jpg');

/** A request for each unit route. */
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

/** Requests that fail even with the token: without it, nothing is said about why. */
const INVALID: typeof ROUTES = [
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

describe('Without ADMIN_TOKEN', () => {
  it('the unit routes answer not_found, whatever the request has as Authorization', async () => {
    const service = await startService();
    for (const headers of [{}, { Authorization: `Bearer ${TOKEN}` }, { Authorization: 'Bearer undefined' }]) {
      for (const [method, target, body] of [...ROUTES, ...INVALID]) {
        const response = await service.request(target, { method, headers, body: body ?? null });
        expect(response.status, `${method} ${target}`).toBe(404);
        expect(response.headers.get('www-authenticate')).toBeNull();
        if (method !== 'HEAD') expect(await codeOf(response)).toBe('not_found');
      }
    }
  });
});

describe('With ADMIN_TOKEN', () => {
  const wrong: Record<string, string | undefined> = {
    'no header': undefined,
    'an empty header': '',
    'the token without a scheme': TOKEN,
    'another token': 'Bearer wrong',
    'a longer token': `Bearer ${TOKEN}x`,
    'a shorter token': `Bearer ${TOKEN.slice(0, -1)}`,
    'the token in another case': `Bearer ${TOKEN.toUpperCase()}`,
    'no token': 'Bearer',
    'a space instead of a token': 'Bearer  ',
    'another scheme': `Basic ${TOKEN}`,
    'a scheme with the prefix Bearer': `Bearerx ${TOKEN}`,
    'no space after the scheme': `Bearer${TOKEN}`,
    'the token in quotes': `Bearer "${TOKEN}"`,
    'two credentials': `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    'the token twice': `Bearer ${TOKEN} ${TOKEN}`,
    'a tab after the scheme': `Bearer\t${TOKEN}`,
    'a character outside ASCII': `Bearer ${TOKEN}\u00e9`,
    'a very long token': `Bearer ${'x'.repeat(100_000)}`,
    'very many spaces': `Bearer${' '.repeat(100_000)}x y`,
  };

  it.each(Object.entries(wrong))('a unit route answers unauthorized to %s', async (_what, authorization) => {
    const { service } = await startAdminService();
    const headers: Record<string, string> =
      authorization === undefined ? {} : { Authorization: authorization };
    const response = await service.request('/units/unit-1', { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await codeOf(response)).toBe('unauthorized');
  });

  it('an unauthorized request learns nothing about paths, methods and bodies', async () => {
    const { service, adminRequest } = await startAdminService();
    for (const [method, target, body] of [...ROUTES, ...INVALID]) {
      const headers = { Authorization: 'Bearer wrong' };
      const response = await service.request(target, { method, headers, body: body ?? null });
      expect(response.status, `${method} ${target}`).toBe(401);
      expect(response.headers.get('allow')).toBeNull();
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const text = await response.text();
      if (method === 'HEAD') expect(text).toBe('');
      else expect(JSON.parse(text)).toMatchObject({ code: 'unauthorized', status: 401 });
    }
    expect((await adminRequest('GET', '/units/unit-1')).status).toBe(404);
  });

  it.each([
    ['written as usual', `Bearer ${TOKEN}`],
    ['with the scheme in any case', `bEARER ${TOKEN}`],
    ['with several spaces before and after it', `Bearer   ${TOKEN}  `],
  ])('unit routes accept the token %s', async (_how, authorization) => {
    const { service } = await startAdminService();
    const headers = { Authorization: authorization };
    expect((await service.request('/metrics', { headers })).status).toBe(200);
    expect((await service.request('/units', { method: 'POST', headers, body: UNIT })).status).toBe(202);
  });

  it('images and /healthz need no token', async () => {
    const { service } = await startAdminService();
    expect((await service.request('/healthz')).status).toBe(200);
    expect(await codeOf(await service.request('/u/unit-1'))).toBe('bad_request');
    expect(await codeOf(await service.request('/unitsx'))).toBe('not_found');
    expect(await codeOf(await service.request('/metricsx'))).toBe('not_found');
  });

  it('no log line contains a token, right or wrong', async () => {
    const { service, adminRequest } = await startAdminService();
    const wrongToken = 'guessed-by-somebody';
    for (const [method, target, body] of [...ROUTES, ...INVALID]) {
      await adminRequest(method, target, body);
      const headers = { Authorization: `Bearer ${wrongToken}` };
      await service.request(target, { method, headers, body: body ?? null });
    }
    expect(service.log.length).toBeGreaterThan(2 * ROUTES.length);
    expect(JSON.stringify(service.log)).not.toContain(TOKEN);
    expect(JSON.stringify(service.log)).not.toContain(wrongToken);
  });
});
