import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { effectivePort, isWebScheme, parseSourceUrl } from './source-url.ts';

/** Allocated for global unicast; everything else in IPv6 is local, an embedding of IPv4, or not in use (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by the registries, but a cloud's own services answer there: Azure's WireServer, which hands out a machine's secrets. */
const CLOUD_INTERNAL = new Set(['168.63.129.16']);

/** The interface identifiers of ISATAP, which tunnels to the IPv4 address in their last 32 bits (RFC 5214, section 6.1). */
const ISATAP = /^(?:0|200):5efe$/;

/**
 * Whether a connection to this address leaves for the public Internet: the one line of defence between a source URL, which
 * anyone may choose, and the networks that this service can reach and its callers cannot.
 *
 * Refused are private, loopback, link-local (the clouds' metadata services), shared, documentation, benchmarking, multicast
 * and reserved ranges, every IPv6 form that embeds an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo,
 * ISATAP: whatever is at the other end unpacks it), addresses with a zone, and whatever is no address.
 *
 * @param text - an IP address as a resolver or `URL.hostname` writes it, without brackets; not a host name
 */
export function isPublicAddress(text: string): boolean {
  // Stricter than ipaddr.js, which would read `0177.0.0.1` one way while the system reads it another.
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
