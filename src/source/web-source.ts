import { EdgepressError } from '../error.ts';
import { type AllowPattern, allowsUrl } from './allowlist.ts';
import { isWebScheme, parseSourceUrl, shownHost } from './source-url.ts';

/**
 * Parses a source that is to be fetched over HTTP.
 *
 * @throws EdgepressError `bad_request`
 */
export function parseWebSource(src: string): URL {
  const url = parseSourceUrl(src);
  if (!url || !isWebScheme(url)) throw badSource('src must be an absolute http or https URL');
  if (hasCredentials(url)) throw badSource('src must not carry credentials');
  return url;
}

/**
 * Decides what may be asked for at all, the first URL like each redirect, before a name is resolved; the address is for the agent
 * to judge.
 *
 * @throws EdgepressError `source_forbidden`
 */
export function admitUrl(url: URL, allow: readonly AllowPattern[]): void {
  const refused = !isWebScheme(url)
    ? 'a redirect to anything but http and https is not followed'
    : hasCredentials(url)
      ? `a redirect to ${shownHost(url)} carries credentials`
      : !allowsUrl(allow, url)
        ? `${shownHost(url)} is not among the allowed sources`
        : undefined;
  if (refused !== undefined) throw new EdgepressError('source_forbidden', refused);
}

function hasCredentials(url: URL): boolean {
  return url.username !== '' || url.password !== '';
}

function badSource(message: string): EdgepressError {
  return new EdgepressError('bad_request', message, { parameter: 'src' });
}
