import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { createPageSessions } from '../../../src/http/pages/page-session.ts';
import { startAdminService, TOKEN } from '../../support/http/operator.ts';
import { codeOf, type Service, startService } from '../../support/http/service.ts';

const SIGNED = { SIGNING_KEYS: `k:${'00'.repeat(16)}`, ADMIN_TOKEN: TOKEN };

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' };

function logIn(service: Service, fields: Record<string, string>, headers: Record<string, string> = FORM) {
  const body = new URLSearchParams(fields).toString();
  return service.request('/login', { method: 'POST', headers, body });
}

/** Returns the cookie that a response sets, as a browser sends it back. */
function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
}

async function statusWith(service: Service, cookie: string): Promise<number> {
  return (await service.request('/', { headers: { Cookie: cookie } })).status;
}

describe('The login', () => {
  it('does not exist without ADMIN_TOKEN', async () => {
    const service = await startService();
    expect(await codeOf(await service.request('/login'))).toBe('not_found');
    expect(await codeOf(await logIn(service, { token: '' }))).toBe('not_found');
  });

  it('does not exist with PAGES=off', async () => {
    const service = await startService({ ...SIGNED, PAGES: 'off' });
    expect(await codeOf(await service.request('/login'))).toBe('not_found');
    expect(await codeOf(await service.request('/'))).toBe('not_found');
  });

  it('is where a page that needs it sends the visitor, who comes back with what was asked for', async () => {
    const service = await startService(SIGNED);
    const sent = await service.request('/?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=480');
    expect(sent.status).toBe(303);
    const login = sent.headers.get('location') ?? '';
    const form = await (await service.request(login)).text();
    const next = '/?src=https%3A%2F%2Fexample.com%2Fa.jpg&w=480';
    expect(form).toContain(`value="${next.replaceAll('&', '&amp;')}"`);
    const opened = await logIn(service, { token: TOKEN, next });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, next]);
    expect(await statusWith(service, cookieOf(opened))).toBe(200);
  });

  it('refuses a wrong token with the form, and gives it no session', async () => {
    const service = await startService(SIGNED);
    for (const token of ['', 'wrong', TOKEN.slice(1), `${TOKEN}x`]) {
      const response = await logIn(service, { token });
      expect(response.status).toBe(401);
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(await response.text()).toContain('That is not the admin token');
    }
  });

  it('gives a session that scripts cannot read, that other sites cannot send, and that does not have the token in it', async () => {
    const service = await startService(SIGNED);
    const cookie = (await logIn(service, { token: TOKEN })).headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^edgepress-session=[^;]+; Max-Age=28800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(decodeURIComponent(cookie)).not.toContain(TOKEN);
  });

  it('gives a session for HTTPS only where the service is reached by it', async () => {
    const service = await startService({ ...SIGNED, PUBLIC_URL: 'https://images.example.com' });
    const response = await logIn(service, { token: TOKEN });
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-edgepress-session=.*; Path=\/; HttpOnly; Secure;/,
    );
    expect(await statusWith(service, cookieOf(response))).toBe(200);
  });

  it('gives a session that every process with the same token accepts, and none with another', async () => {
    const cookie = cookieOf(await logIn(await startService(SIGNED), { token: TOKEN }));
    expect(await statusWith(await startService(SIGNED), cookie)).toBe(200);
    expect(await statusWith(await startService({ ...SIGNED, ADMIN_TOKEN: 'another-token' }), cookie)).toBe(
      303,
    );
  });

  it('accepts no session that it did not give', async () => {
    const service = await startService(SIGNED);
    const cookie = cookieOf(await logIn(service, { token: TOKEN }));
    const [, until = ''] = /=(\d+)\./.exec(cookie) ?? [];
    const forged = [
      cookie.replace(until, `${until}0`),
      cookie.replace(/\..*/, ''),
      `edgepress-session=${until}`,
      `edgepress-session=${TOKEN}`,
      '',
    ];
    for (const each of forged) expect(await statusWith(service, each), each).toBe(303);
  });

  it('gives a session that ends after eight hours', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    const sessions = createPageSessions(TOKEN, false, () => nowMs);
    const app = new Hono();
    app.get('/start', async (c) => {
      await sessions.start(c);
      return c.text('');
    });
    app.get('/', async (c) => c.text(String(await sessions.isValid(c))));
    const cookie = cookieOf(await app.request('/start'));
    const isValid = async () => (await app.request('/', { headers: { Cookie: cookie } })).text();
    nowMs += 8 * 60 * 60 * 1000 - 1000;
    expect(await isValid()).toBe('true');
    nowMs += 1000;
    expect(await isValid()).toBe('false');
  });

  it('ends with the button of the page', async () => {
    const { service } = await startAdminService(SIGNED);
    const cookie = cookieOf(await logIn(service, { token: TOKEN }));
    const page = await (await service.request('/', { headers: { Cookie: cookie } })).text();
    expect(page).toContain('action="/logout"');
    const response = await service.request('/logout', {
      method: 'POST',
      headers: { ...FORM, Cookie: cookie },
    });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/login']);
    expect(response.headers.get('set-cookie')).toMatch(/^edgepress-session=; Max-Age=0;/);
  });

  it('takes forms of this service only', async () => {
    const service = await startService(SIGNED);
    const type = 'application/x-www-form-urlencoded';
    const others: Record<string, string>[] = [
      { 'Content-Type': type },
      { 'Content-Type': type, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
      { 'Content-Type': type, Origin: 'http://localhost:8080' },
      { 'Content-Type': type, Origin: 'null' },
    ];
    for (const headers of others) {
      expect(await codeOf(await logIn(service, { token: TOKEN }, headers))).toBe('bad_request');
      const logout = await service.request('/logout', { method: 'POST', headers });
      expect(await codeOf(logout)).toBe('bad_request');
    }
    // Browsers without `Sec-Fetch-Site`.
    const own = await logIn(service, { token: TOKEN }, { 'Content-Type': type, Origin: 'http://localhost' });
    expect(own.status).toBe(303);
  });

  it.each([
    'https://evil.example/',
    '/.//evil.example/a',
    '//evil.example/',
    '/\\evil.example',
    '/\t/evil.example',
    'evil',
    '//',
  ])('leads nowhere else: %s', async (next) => {
    const service = await startService(SIGNED);
    expect((await logIn(service, { token: TOKEN, next })).headers.get('location')).toBe('/');
  });

  it('is in no log line', async () => {
    const service = await startService(SIGNED);
    const cookie = cookieOf(await logIn(service, { token: TOKEN }));
    await logIn(service, { token: 'guessed-by-somebody' });
    await service.request('/', { headers: { Cookie: cookie } });
    const log = JSON.stringify(service.log);
    expect(log).not.toContain(TOKEN);
    expect(log).not.toContain('guessed-by-somebody');
    expect(log).not.toContain(cookie.split('=')[1]);
  });
});
