import { effectivePort, isWebScheme, parseSourceUrl } from './source-url.ts';

/**
 * Parses one entry of `SOURCE_ALLOW_PRIVATE`.
 *
 * @param text - `host:port`, IPv6 in brackets; the port is required, so that trust in one service is not trust in its machine
 * @returns the same in the one form that `hostAndPort` gives
 * @throws Error that says what is wrong with it, for a configuration fault
 */
export function parsePrivateHost(text: string): string {
  const url = /^(\[[^\]\s]*\]|[^:/?#@*\s\\[\]]+):\d+$/.test(text)
    ? parseSourceUrl(`http://${text}/`)
    : undefined;
  if (!url || !isWebScheme(url))
    throw new Error(`"${text}": expected host:port, such as minio:9000 or [::1]:9000`);
  return hostAndPort(url);
}

/** The host and effective port of a parsed `http(s)` URL, in the form that `parsePrivateHost` gives. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${effectivePort(url)}`;
}
