import { parseUrl } from '../parse-url.ts';

/** A cache in front of the service that is told what to forget. */
export type CdnLocation =
  | { kind: 'cloudfront'; distribution: string }
  | { kind: 'cloudflare'; zone: string }
  | { kind: 'fastly'; service: string }
  | { kind: 'bunny'; pullZone: string }
  | { kind: 'http'; url: URL };

/** The CDNs whose API needs a token. */
export const TOKEN_KINDS = ['cloudflare', 'fastly', 'bunny'] as const;

/** What an entry of `CDN` may be, in Markdown. */
export const CDN_FORMS =
  '`cloudfront:DISTRIBUTION-ID`, `cloudflare:ZONE-ID`, `fastly:SERVICE-ID`, `bunny:PULL-ZONE-ID`, or `http://HOST:PORT/PATH` (or `https:`) of a cache that takes `PURGE`';

const FORMS: readonly [RegExp, (id: string) => CdnLocation][] = [
  [/^cloudfront:([A-Z0-9]{1,32})$/, (distribution) => ({ kind: 'cloudfront', distribution })],
  [/^cloudflare:([0-9a-f]{32})$/, (zone) => ({ kind: 'cloudflare', zone })],
  [/^fastly:([A-Za-z0-9]{1,64})$/, (service) => ({ kind: 'fastly', service })],
  [/^bunny:(\d{1,15})$/, (pullZone) => ({ kind: 'bunny', pullZone })],
];

/**
 * Parses an entry of `CDN`.
 *
 * @throws Error that says what is wrong, as the end of a sentence whose subject is the variable
 */
export function parseCdnLocation(entry: string): CdnLocation {
  for (const [form, location] of FORMS) {
    const id = form.exec(entry)?.[1];
    if (id !== undefined) return location(id);
  }
  // `http:` may stand before the URL like the names of the others.
  const url = parseUrl(entry.replace(/^http:(?=https?:\/\/)/, ''));
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error(`must be none, or one or more of ${CDN_FORMS.replaceAll('`', '')}, separated by commas`);
  if (url.username !== '' || url.password !== '')
    throw new Error(`must not have a password in the URL of ${url.host}: set CDN_HTTP_TOKEN`);
  if (url.hash !== '') throw new Error(`must not have a fragment in the URL of ${url.host}`);
  return { kind: 'http', url };
}

/** Returns an entry as `CDN` has it, without the query of a URL, which may have a secret: answers and errors show the name. */
export function nameOfCdn(location: CdnLocation): string {
  switch (location.kind) {
    case 'cloudfront':
      return `cloudfront:${location.distribution}`;
    case 'cloudflare':
      return `cloudflare:${location.zone}`;
    case 'fastly':
      return `fastly:${location.service}`;
    case 'bunny':
      return `bunny:${location.pullZone}`;
    case 'http':
      return `${location.url.origin}${location.url.pathname}`;
  }
}
