import { sourceHost } from './source-syntax.ts';

/** Which parameters of the URLs of a host do not say which image it is, such as signatures and times of expiry. */
export interface IgnoredParameters {
  /** A host, or `*.` and a domain, which stands for all of its subdomains. In lower case, without a port. */
  host: string;
  /** Names as they are written in URLs. A `*` at the end stands for anything. */
  names: readonly string[];
}

/** In `s3:`, a question mark is part of the key. */
const WEB_SOURCE = /^http/i;

/**
 * Returns what tells a source from others: its URL, without the parameters that are ignored for its host. Keys and cache tags are made
 * from it, so a URL that was signed anew leads to the variants that are stored. Any text that is not such a URL is returned as it is.
 */
export function sourceIdentity(src: string, rules: readonly IgnoredParameters[]): string {
  const start = src.indexOf('?');
  if (start < 0 || !WEB_SOURCE.test(src)) return src;
  const host = String(sourceHost(src).split(':')[0]);
  let pieces = src.slice(start + 1).split('&');
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as IgnoredParameters;
    if (matchesHost(rule.host, host)) pieces = pieces.filter((piece) => !isIgnored(piece, rule.names));
  }
  return src.slice(0, start) + (pieces.length > 0 ? `?${pieces.join('&')}` : '');
}

function matchesHost(pattern: string, host: string): boolean {
  return (
    pattern === host || (pattern.charAt(0) === '*' && host.slice(1 - pattern.length) === pattern.slice(1))
  );
}

function isIgnored(piece: string, names: readonly string[]): boolean {
  const name = String(piece.split('=')[0]);
  return names.some((one) => {
    const last = one.length - 1;
    return one === name || (one.charAt(last) === '*' && name.slice(0, last) === one.slice(0, last));
  });
}
