import { promises as dns, type LookupAddress, lookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import { sleep } from '../backoff.ts';
import type { ResolveAll } from './guarded-agent.ts';

export interface NameResolverOptions {
  /** The DNS servers, as `address` or `address:port`. Default: those of the system. */
  servers?: readonly string[];
  /** The time for one query to one server, in milliseconds. Default 1,500. */
  queryTimeoutMs?: number;
  /** The time for a name, in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** Resolves what only the system can: with its search domains and its other name services. Default `dns.lookup`. */
  system?: ResolveAll;
  /** The file of the system's own names. Default `/etc/hosts`. */
  hostsFile?: string;
}

/** After this time c-ares asks again, or another server, and doubles the time. */
const QUERY_TIMEOUT_MS = 1_500;
const QUERY_TRIES = 2;
/** With several servers, the queries alone could take as long as a fetch may. */
const RESOLVE_TIMEOUT_MS = 5_000;
/** How long the second family of addresses is waited for, once the first is there (RFC 8305, section 3). */
const SECOND_FAMILY_MS = 50;
/** libuv gives getaddrinfo at most half of its threads, which are 64 as `npm start` sets it; others, as the client of S3, need it too. */
const SYSTEM_LOOKUPS = 8;
/** Names that the system has resolved: they go before others, which may hang. */
const MAX_KNOWN_NAMES = 1_000;
/** How long the system's settings are used before they are read again: a machine may change its network. */
const SETTINGS_LIFETIME_MS = 30_000;
/** Failures after which the system is asked: the servers know no such name, or there are none. */
const UNKNOWN_TO_DNS = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED', 'EBADNAME']);
/** Names that public DNS never has: without a dot, of this machine (RFC 6761, section 6.3), of multicast DNS (RFC 6762, section 3). */
const OF_SYSTEM = /^[^.]*$|\.(?:localhost|local)$/i;

/**
 * Returns a resolver in which a name that hangs holds up no other. `dns.lookup` calls getaddrinfo in libuv's thread pool, where two hanging
 * names stop all others for 10 s, with 4 threads, and 40 names do so with 64. So c-ares asks the DNS servers, which takes no thread.
 * As with getaddrinfo, `/etc/hosts` comes first. The system looks up only what the servers do not know, such as names of search domains,
 * few at a time.
 */
export function createNameResolver(options: NameResolverOptions = {}): ResolveAll {
  const { timeoutMs = RESOLVE_TIMEOUT_MS, system = lookup } = options;
  const readSettings = createSettingsReader(options);
  const askSystem = createSystemLookup(system);

  async function resolve(hostname: string, signal: AbortSignal): Promise<LookupAddress[]> {
    const { hosts, resolver } = await readSettings();
    const own = hosts.get(hostname.toLowerCase());
    if (own) return own;
    if (OF_SYSTEM.test(hostname)) return await askSystem(hostname, signal);
    try {
      return await query(resolver, hostname);
    } catch (error) {
      if (isUnknown(error)) return await askSystem(hostname, signal);
      throw error;
    }
  }

  return (hostname, { family }, callback) => {
    const isAsked = (address: LookupAddress) => !family || address.family === family;
    withTimeout(timeoutMs, (signal) => resolve(hostname, signal)).then(
      (addresses) => callback(null, addresses.filter(isAsked)),
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

async function withTimeout<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const expired = sleep(timeoutMs, done.signal).then(() => {
    throw Object.assign(new Error('no answer in time'), { code: 'ETIMEOUT' });
  });
  try {
    return await Promise.race([work(done.signal), expired]);
  } finally {
    expired.catch(() => undefined);
    done.abort();
  }
}

/** Asks for both families of addresses at once. Returns IPv4 first, since broken routes are mostly those of IPv6. */
async function query(resolver: dns.Resolver, hostname: string): Promise<LookupAddress[]> {
  const families = [4, 6] as const;
  const queries = families.map(async (family) => {
    const addresses = await (family === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname));
    return addresses.map((address) => ({ address, family }));
  });
  const first = await Promise.any(queries).catch(({ errors }: AggregateError) => {
    throw errors.find((error) => !isUnknown(error)) ?? errors[0];
  });
  const both = Promise.all(queries.map((answer) => answer.catch(() => [])));
  return (await Promise.race([both, sleep(SECOND_FAMILY_MS).then(() => [first])])).flat();
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNKNOWN_TO_DNS.has(String(error.code));
}

/** Returns a function that has the system resolve a name, few names at a time. Once its signal aborts, a name that waits is left out. */
function createSystemLookup(system: ResolveAll) {
  const queue = new PQueue({ concurrency: SYSTEM_LOOKUPS });
  const known = new LRUCache<string, true>({ max: MAX_KNOWN_NAMES });
  return async (hostname: string, signal: AbortSignal): Promise<LookupAddress[]> => {
    // The queue is not given the signal: it would take a lookup that it ended for one that no longer occupies a thread.
    const lookUp = () => {
      signal.throwIfAborted();
      return new Promise<LookupAddress[]>((resolve, reject) => {
        system(hostname, { all: true, verbatim: true }, (error, addresses) =>
          error ? reject(error) : resolve(addresses),
        );
      });
    };
    const addresses = await queue.add(lookUp, { priority: known.has(hostname) ? 1 : 0 });
    known.set(hostname, true);
    return addresses;
  };
}

interface SystemSettings {
  resolver: dns.Resolver;
  hosts: Map<string, LookupAddress[]>;
}

/** Returns a function that returns the system's settings, which are read again when they are old. */
function createSettingsReader({
  servers,
  queryTimeoutMs = QUERY_TIMEOUT_MS,
  hostsFile = '/etc/hosts',
}: NameResolverOptions): () => Promise<SystemSettings> {
  let settings: Promise<SystemSettings> | undefined;
  let readAtMs = 0;
  async function read(): Promise<SystemSettings> {
    // c-ares reads the servers once, when a resolver is created.
    const resolver = new dns.Resolver({ timeout: queryTimeoutMs, tries: QUERY_TRIES });
    if (servers) resolver.setServers(servers);
    return { resolver, hosts: parseHosts(await readFile(hostsFile, 'utf8').catch(() => '')) };
  }
  return () => {
    if (!settings || performance.now() - readAtMs > SETTINGS_LIFETIME_MS) {
      readAtMs = performance.now();
      settings = read();
    }
    return settings;
  };
}

/** Parses the file of a system's own names: an address and its names on each line, comments after `#` (hosts(5)). */
function parseHosts(text: string): Map<string, LookupAddress[]> {
  const hosts = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase()) ?? [];
      hosts.set(name.toLowerCase(), [...known, { address, family }]);
    }
  }
  return hosts;
}
