import { isIP } from 'node:net';
import { EdgepressError } from '../protocol/error.ts';
import { effectivePort, hasCredentials, isWebScheme, parseSourceUrl, shownHost } from './source-url.ts';

/** What a pattern's host stands for: any host, exactly one, or whole labels in front of one. */
type HostPattern = { kind: 'any' } | { kind: 'exactly'; host: string } | { kind: 'below'; host: string };

/** One parsed pattern of `SOURCE_ALLOW`. */
export interface AllowPattern {
  readonly scheme: 'http:' | 'https:' | 's3:';
  readonly host: HostPattern;
  /** The one port that matches; for `s3` there is none. */
  readonly port: string;
  /** The literal pieces between the `*` of the path; `undefined` where any path matches. */
  readonly path: readonly string[] | undefined;
}

/** Letters, digits and `.-_`: S3's own rules, old buckets' included. It keeps ARNs and anything that could bend an endpoint's address out. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;
const MAX_DECODING_ROUNDS = 8;

/** Whether this can be the name of an S3 bucket. */
export function isBucketName(text: string): boolean {
  return BUCKET.test(text);
}

/**
 * Parses a pattern such as `https://*.example.com/*` or `s3://bucket/*`.
 *
 * - host: `*` is any host; `*.` in front stands for one or more whole labels, so `*.example.com` is neither
 *   `example.com` nor `evilexample.com`; compared in its IDNA form, without regard to case or a trailing dot;
 * - port: as given, else the scheme's default one, alone;
 * - path: `*` stands for anything, `/` included; no path is any path, `/` is that path alone. A URL's query plays no part;
 * - `s3`: the bucket is the host (`*` or a whole name), the path is `/` and the key, to the letter.
 *
 * @throws Error that says what is wrong with the pattern, for a configuration fault
 */
export function parseAllowPattern(text: string): AllowPattern {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/is.exec(text);
  if (!parts) throw fault(text, 'expected scheme://host/path, such as https://*.example.com/*');
  const [, scheme = '', authority = '', path] = parts;
  if (authority.includes('@')) throw fault(text, 'credentials have no place in a pattern');
  switch (scheme.toLowerCase()) {
    case 's3':
      return parseS3Pattern(text, authority, path);
    case 'http':
      return parseWebPattern(text, 'http:', authority, path);
    case 'https':
      return parseWebPattern(text, 'https:', authority, path);
    default:
      throw fault(text, 'the scheme must be http, https or s3');
  }
}

/**
 * Whether these patterns let an `http(s)` URL through; an empty list lets every one through, and leaves the choice to
 * the address guard. Matches the parsed URL, never the raw string, so that no notation slips past.
 */
export function allowsUrl(patterns: readonly AllowPattern[], url: URL): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesUrl(pattern, url));
}

/** Whether these patterns let an S3 object through; an empty list lets none through: a bucket is never public by default. */
export function allowsObject(patterns: readonly AllowPattern[], bucket: string, key: string): boolean {
  // S3 itself takes these segments literally; a proxy in front of a compatible store may resolve them and leave the bucket.
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) return false;
  return patterns.some(
    ({ scheme, host, path }) => scheme === 's3:' && matchesHost(host, bucket) && matchesPath(path, `/${key}`),
  );
}

/**
 * Decides what may be asked for at all, the first URL like each redirect, before a name is resolved; the address is for the agent
 * to judge.
 *
 * @throws EdgepressError `source_forbidden`
 */
export function assertUrlAllowed(url: URL, allow: readonly AllowPattern[]): void {
  const refused = !isWebScheme(url)
    ? 'a redirect to anything but http and https is not followed'
    : hasCredentials(url)
      ? `a redirect to ${shownHost(url)} carries credentials`
      : !allowsUrl(allow, url)
        ? `${shownHost(url)} is not among the allowed sources`
        : undefined;
  if (refused !== undefined) throw new EdgepressError('source_forbidden', refused);
}

function parseWebPattern(
  text: string,
  scheme: 'http:' | 'https:',
  authority: string,
  path: string | undefined,
): AllowPattern {
  if (/[?#]/.test(text))
    throw fault(text, 'a query or fragment has no place in a pattern: only the path is matched');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  if (!host) throw fault(text, 'expected a host, and after a colon only a port number');
  const url = parseSourceUrl(`${scheme}//pattern.invalid${port ? `:${port}` : ''}${path ?? '/'}`);
  if (!url || port === '') throw fault(text, 'the port is out of range');
  return {
    scheme,
    host: parseHost(text, host),
    port: effectivePort(url),
    path: piecesOf(path === undefined ? undefined : url.pathname),
  };
}

function parseS3Pattern(text: string, bucket: string, path: string | undefined): AllowPattern {
  if (bucket !== '*' && !isBucketName(bucket)) throw fault(text, 'expected * or the whole name of a bucket');
  const host: HostPattern = bucket === '*' ? { kind: 'any' } : { kind: 'exactly', host: bucket };
  return { scheme: 's3:', host, port: '', path: piecesOf(path) };
}

function piecesOf(path: string | undefined): readonly string[] | undefined {
  return path === '/*' ? undefined : path?.split('*');
}

function parseHost(text: string, host: string): HostPattern {
  if (host === '*') return { kind: 'any' };
  const below = host.startsWith('*.');
  const name = below ? host.slice(2) : host;
  const canonical = /[*\s\\]/.test(name) ? undefined : parseSourceUrl(`http://${name}/`)?.hostname;
  if (!canonical) throw fault(text, 'expected a host name, one behind *. or * alone');
  if (below && (isIP(canonical) !== 0 || canonical.startsWith('['))) {
    throw fault(text, '*. stands in front of a name, not of an address');
  }
  return { kind: below ? 'below' : 'exactly', host: canonical };
}

function matchesUrl(pattern: AllowPattern, url: URL): boolean {
  return (
    pattern.scheme === url.protocol &&
    pattern.port === effectivePort(url) &&
    matchesHost(pattern.host, url.hostname) &&
    (pattern.path === undefined || !hidesDotSegment(url.pathname)) &&
    matchesPath(pattern.path, url.pathname)
  );
}

function matchesHost(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'exactly':
      return host === pattern.host;
    case 'below':
      return host.endsWith(`.${pattern.host}`);
  }
}

/** Greedy from the left and without backtracking: a pattern and a path of any shape take linear time, as no regular expression would. */
function matchesPath(pieces: readonly string[] | undefined, path: string): boolean {
  if (pieces === undefined) return true;
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return path === first;
  if (!path.startsWith(first)) return false;
  let position = first.length;
  for (const piece of rest) {
    const found = path.indexOf(piece, position);
    if (found === -1) return false;
    position = found + piece.length;
  }
  return path.length - last.length >= position && path.endsWith(last);
}

/**
 * Whether a server that decodes once more than it should would see `..` in this path: `/public/..%2fsecret`,
 * `/public/%252e%252e/secret`, `/public/..;/secret`. URL parsing resolves `..` and `%2e%2e`, but not these, and a pattern
 * that allows `/public/*` must not depend on how its server reads them.
 */
function hidesDotSegment(path: string): boolean {
  let text = path;
  for (let round = 0; round < MAX_DECODING_ROUNDS; round++) {
    if (text.split(/[/\\]/).some((segment) => /^\.\.?(;|$)/.test(segment))) return true;
    const decoded = text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}

function fault(text: string, reason: string): Error {
  return new Error(`"${text}": ${reason}`);
}
