import type { Context } from 'hono';
import { html } from 'hono/html';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { SCRIPTS, STYLE } from '../../pages/assets.ts';
import type { AppEnvironment } from '../http-request.ts';
import { PRIVATE_HEADERS } from '../responses.ts';

/** Nothing from elsewhere, and no script or style but those that the pages have: not even one that was injected would run. */
const POLICY = [
  "default-src 'none'",
  "img-src 'self' data:",
  "connect-src 'self'",
  `style-src ${STYLE.hash}`,
  `script-src ${Object.values(SCRIPTS)
    .map(({ hash }) => hash)
    .join(' ')}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE_HEADERS = {
  ...PRIVATE_HEADERS,
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Not `no-referrer`, with which browsers send `Origin: null` with forms.
  'Referrer-Policy': 'same-origin',
};

/** Answers a request with a page. */
export async function sendPage(
  c: Context<AppEnvironment>,
  page: JSX.Element,
  status: 200 | 400 | 401 | 404 | 405 | 503 = 200,
): Promise<Response> {
  const body = String(await html`<!doctype html>${page}`);
  c.get('trace').bytesOut = c.req.method === 'HEAD' ? 0 : Buffer.byteLength(body);
  return c.html(body, status, PAGE_HEADERS);
}
