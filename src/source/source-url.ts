import { parseUrl } from '../parse-url.ts';
import { EdgepressError } from '../protocol/error.ts';

/** The maximum length of a DNS name as text (RFC 1035, section 2.3.4, without the root). */
const MAX_HOST_LENGTH = 253;

/**
 * Parses an absolute URL, or the `Location` of a redirect relative to the URL that sent it.
 *
 * It removes a trailing dot of the host: `example.com.` and `example.com` reach the same server, so the allowlist, the private hosts, the
 * connection pool and TLS must see the same name.
 *
 * @returns `undefined` if the text is not a URL, or its host cannot resolve because it has an empty label or more than 253 characters
 */
export function parseSourceUrl(text: string, base?: URL): URL | undefined {
  const url = parseUrl(text, base);
  if (!url) return undefined;
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  const unresolvable = url.hostname.length > MAX_HOST_LENGTH || url.hostname.split('.').includes('');
  return unresolvable && isWebScheme(url) ? undefined : url;
}

/** Whether the scheme is `http` or `https`. */
export function isWebScheme(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

/** Returns the port of an `http(s)` URL: the given one, or the default of its scheme. */
export function effectivePort(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

/** Returns the part of a URL that an error message may show to anyone: host and port, since the rest may contain secrets. */
export function shownHost(url: URL): string {
  return url.host;
}

/**
 * Parses the URL of an HTTP source.
 *
 * @throws EdgepressError `bad_request` if it is not an absolute `http(s)` URL, or has credentials
 */
export function parseWebSource(src: string): URL {
  const url = parseSourceUrl(src);
  if (!url || !isWebScheme(url)) throw badSource('src must be an absolute http or https URL');
  if (hasCredentials(url)) throw badSource('src must not carry credentials');
  return url;
}

/** Whether a URL carries a user name or a password. */
export function hasCredentials(url: URL): boolean {
  return url.username !== '' || url.password !== '';
}

function badSource(message: string): EdgepressError {
  return new EdgepressError('bad_request', message, { parameter: 'src' });
}
