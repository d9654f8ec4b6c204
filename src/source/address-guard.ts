import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { effectivePort, isWebScheme, parseSourceUrl } from './source-url.ts';

/** The only range of IPv6 with public addresses; all others are local, embed IPv4, or are unassigned (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by the registries, but used inside a cloud: Azure's WireServer, which serves the secrets of a machine. */
const CLOUD_INTERNAL = new Set(['168.63.129.16']);

/** The interface identifiers of ISATAP, which tunnels to the IPv4 address in the last 32 bits (RFC 5214, section 6.1). */
const ISATAP = /^(?:0|200):5efe$/;

/**
 * Whether an address is on the public Internet. This is the only protection against source URLs, which anyone may choose, that point into
 * networks which this service can reach and its callers cannot (SSRF).
 *
 * It refuses private, loopback, link-local (the clouds' metadata services), shared, documentation, benchmarking, multicast
 * and reserved ranges, every IPv6 form that embeds an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo,
 * ISATAP), addresses with a zone, and any text that is not an address.
 *
 * @param text - an IP address as a resolver returns it, or `URL.hostname` without brackets; not a host name
 */
export function isPublicAddress(text: string): boolean {
  // isIP is stricter than ipaddr.js, which accepts `0177.0.0.1` but may read it differently from the system.
  if (isIP(text) === 0 || text.includes('%')) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv4) return !CLOUD_INTERNAL.has(address.toString());
  const [identifierHigh = 0, identifierLow = 0] = address.parts.slice(4);
  const identifier = `${identifierHigh.toString(16)}:${identifierLow.toString(16)}`;
  return address.match(GLOBAL_UNICAST) && !ISATAP.test(identifier);
}

/**
 * Parses one entry of `SOURCE_ALLOW_PRIVATE`.
 *
 * @param text - `host:port`, IPv6 in brackets; the port is required, so that trust in one service does not extend to its machine
 * @returns the host and port in the canonical form of `hostAndPort`
 * @throws Error with a message for the configuration error
 */
export function parsePrivateHost(text: string): string {
  const url = /^(\[[^\]\s]*\]|[^:/?#@*\s\\[\]]+):\d+$/.test(text)
    ? parseSourceUrl(`http://${text}/`)
    : undefined;
  if (!url || !isWebScheme(url))
    throw new Error(`"${text}": expected host:port, such as minio:9000 or [::1]:9000`);
  return hostAndPort(url);
}

/** Returns the host and the effective port of an `http(s)` URL, in the form of `parsePrivateHost`. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${effectivePort(url)}`;
}
