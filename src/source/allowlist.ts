import { isIP } from 'node:net';
import { EdgepressError } from '../protocol/error.ts';
import { effectivePort, hasCredentials, isWebScheme, parseSourceUrl, shownHost } from './source-url.ts';

/** The hosts that a pattern matches: any, exactly one, or all subdomains of one. */
type HostPattern = { kind: 'any' } | { kind: 'exact'; host: string } | { kind: 'subdomains'; host: string };

/** A parsed pattern of `SOURCE_ALLOW`. */
export interface AllowPattern {
  readonly scheme: 'http:' | 'https:' | 's3:';
  readonly host: HostPattern;
  /** The port that matches; empty for `s3`. */
  readonly port: string;
  /** The literal parts between the `*` of the path; `undefined` if any path matches. */
  readonly path: readonly string[] | undefined;
}

/** S3's rules for names, including those of old buckets. They exclude ARNs and anything that could change the address of an endpoint. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;
const MAX_DECODING_ROUNDS = 8;

/** Whether a text is a valid name of an S3 bucket. */
export function isBucketName(text: string): boolean {
  return BUCKET.test(text);
}

/**
 * Parses a pattern such as `https://*.example.com/*` or `s3://bucket/*`.
 *
 * - host: `*` matches any host; a leading `*.` matches one or more whole labels, so `*.example.com` matches neither `example.com` nor
 *   `evilexample.com`. Hosts are compared in their IDNA form, without regard to case or a trailing dot;
 * - port: only the given one, or the default of the scheme;
 * - path: `*` matches anything, including `/`; without a path any path matches, while `/` matches only that path. The query of a URL is
 *   ignored;
 * - `s3`: the host is the bucket (`*` or a full name), and the path is `/` and the key, compared literally.
 *
 * @throws Error with a message for the configuration error
 */
export function parseAllowPattern(text: string): AllowPattern {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/is.exec(text);
  if (!parts) throw patternError(text, 'expected scheme://host/path, such as https://*.example.com/*');
  const [, scheme = '', authority = '', path] = parts;
  if (authority.includes('@')) throw patternError(text, 'a pattern cannot contain credentials');
  switch (scheme.toLowerCase()) {
    case 's3':
      return parseS3Pattern(text, authority, path);
    case 'http':
      return parseWebPattern(text, 'http:', authority, path);
    case 'https':
      return parseWebPattern(text, 'https:', authority, path);
    default:
      throw patternError(text, 'the scheme must be http, https or s3');
  }
}

/**
 * Whether the patterns allow an `http(s)` URL. An empty list allows every URL and leaves the decision to the address guard. Takes the parsed
 * URL, not the text, so that no alternative notation bypasses a pattern.
 */
export function allowsUrl(patterns: readonly AllowPattern[], url: URL): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesUrl(pattern, url));
}

/** Whether the patterns allow an S3 object. An empty list allows none: a bucket is never public by default. */
export function allowsObject(patterns: readonly AllowPattern[], bucket: string, key: string): boolean {
  // S3 takes these segments literally, but a proxy in front of a compatible store may resolve them and leave the bucket.
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) return false;
  return patterns.some(
    ({ scheme, host, path }) => scheme === 's3:' && matchesHost(host, bucket) && matchesPath(path, `/${key}`),
  );
}

/**
 * Checks the URL of a hop, the first or a redirect, before its host is resolved. The agent checks the address.
 *
 * @throws EdgepressError `source_forbidden` for another scheme than `http(s)`, for credentials, and outside the allowlist
 */
export function assertUrlAllowed(url: URL, allow: readonly AllowPattern[]): void {
  const refusal = !isWebScheme(url)
    ? 'only redirects to http and https are followed'
    : hasCredentials(url)
      ? `a redirect to ${shownHost(url)} contains credentials`
      : !allowsUrl(allow, url)
        ? `${shownHost(url)} is not among the allowed sources`
        : undefined;
  if (refusal !== undefined) throw new EdgepressError('source_forbidden', refusal);
}

function parseWebPattern(
  text: string,
  scheme: 'http:' | 'https:',
  authority: string,
  path: string | undefined,
): AllowPattern {
  if (/[?#]/.test(text))
    throw patternError(text, 'a pattern cannot contain a query or fragment: only the path is matched');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  if (!host) throw patternError(text, 'expected a host, optionally followed by a colon and a port number');
  const url = parseSourceUrl(`${scheme}//pattern.invalid${port ? `:${port}` : ''}${path ?? '/'}`);
  if (!url || port === '') throw patternError(text, 'the port is out of range');
  return {
    scheme,
    host: parseHost(text, host),
    port: effectivePort(url),
    path: partsOf(path === undefined ? undefined : url.pathname),
  };
}

function parseS3Pattern(text: string, bucket: string, path: string | undefined): AllowPattern {
  if (bucket !== '*' && !isBucketName(bucket))
    throw patternError(text, 'expected * or the full name of a bucket');
  const host: HostPattern = bucket === '*' ? { kind: 'any' } : { kind: 'exact', host: bucket };
  return { scheme: 's3:', host, port: '', path: partsOf(path) };
}

function partsOf(path: string | undefined): readonly string[] | undefined {
  return path === '/*' ? undefined : path?.split('*');
}

function parseHost(text: string, host: string): HostPattern {
  if (host === '*') return { kind: 'any' };
  const isSubdomains = host.startsWith('*.');
  const name = isSubdomains ? host.slice(2) : host;
  const canonical = /[*\s\\]/.test(name) ? undefined : parseSourceUrl(`http://${name}/`)?.hostname;
  if (!canonical) throw patternError(text, 'expected a host name, optionally after *., or * alone');
  if (isSubdomains && (isIP(canonical) !== 0 || canonical.startsWith('['))) {
    throw patternError(text, '*. can precede a host name, but not an address');
  }
  return { kind: isSubdomains ? 'subdomains' : 'exact', host: canonical };
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
    case 'exact':
      return host === pattern.host;
    case 'subdomains':
      return host.endsWith(`.${pattern.host}`);
  }
}

/** Matches from left to right without backtracking, so that it takes linear time for any pattern and path, unlike a regular expression. */
function matchesPath(parts: readonly string[] | undefined, path: string): boolean {
  if (parts === undefined) return true;
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return path === first;
  if (!path.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return path.length - last.length >= position && path.endsWith(last);
}

/**
 * Whether a server that decodes a path more often than it should would find `..` in it: `/public/..%2fsecret`,
 * `/public/%252e%252e/secret`, `/public/..;/secret`. URL parsing resolves `..` and `%2e%2e`, but not these, and what a pattern such as
 * `/public/*` allows must not depend on how the server reads them.
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

function patternError(text: string, reason: string): Error {
  return new Error(`"${text}": ${reason}`);
}
