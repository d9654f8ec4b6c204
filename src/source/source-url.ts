import { EdgepressError } from '../protocol/error.ts';

/** Of a name in DNS, in its textual form (RFC 1035, section 2.3.4, less the root). */
const MAX_HOST_LENGTH = 253;

/**
 * Parses an absolute URL, or a redirect's `Location` against the address that sent it.
 *
 * One trailing dot on the host goes away here, before anything is decided: `example.com.` and `example.com` reach
 * the same server, so the allowlist, the list of private hosts, the connection pool and TLS must all see one name.
 *
 * @returns the URL, or `undefined` where the text is none, or where its host is none that could ever resolve:
 *   with an empty label, or longer than 253 characters
 */
export function parseSourceUrl(text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base?.href);
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  const unresolvable = url.hostname.length > MAX_HOST_LENGTH || url.hostname.split('.').includes('');
  return unresolvable && isWebScheme(url) ? undefined : url;
}

/** Whether this is the scheme of an HTTP source. */
export function isWebScheme(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

/** The port that a connection to this HTTP URL would use. */
export function effectivePort(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

/**
 * The host and port as an error may show them to anyone: never the path, the query or the credentials, which can carry
 * secrets.
 */
export function shownHost(url: URL): string {
  return url.host;
}

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

/** Whether a URL carries a user name or a password. */
export function hasCredentials(url: URL): boolean {
  return url.username !== '' || url.password !== '';
}

function badSource(message: string): EdgepressError {
  return new EdgepressError('bad_request', message, { parameter: 'src' });
}
