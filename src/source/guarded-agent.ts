import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { EdgepressError } from '../protocol/error.ts';
import { MAX_HEADER_BYTES } from './lenient-http.ts';

/** Resolves a name to all of its addresses: `dns.lookup` in its `all: true` form. */
export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardedAgentOptions {
  resolve: ResolveAll;
  /** Whether a connection to this address is allowed. */
  acceptsAddress: (address: string) => boolean;
  /** The timeout of a connection attempt, in milliseconds. Several requests may wait for the same attempt. */
  connectTimeoutMs: number;
}

const KEEP_ALIVE_MS = 4_000;
/** The longest keep-alive that a server may ask for, so that it cannot make connections pile up. */
const MAX_KEEP_ALIVE_MS = 30_000;
/** Node's default of 250 ms is too short for addresses on another continent. */
const ADDRESS_ATTEMPT_MS = 1_000;

export interface GuardedAgent {
  /** Pools connections. It has no timeouts for responses: the signal of each request ends it. */
  dispatcher: Agent;
  /**
   * Opens a connection of its own to the host of an `http(s)` URL.
   *
   * @throws the reason of the signal once it is aborted, which also closes the connection
   */
  connect(url: URL, signal: AbortSignal): Promise<Socket>;
}

/**
 * Creates an agent that connects to accepted addresses only. The check is part of the connection, which uses exactly the addresses that
 * were checked. A name is never resolved a second time, which prevents DNS rebinding: a public address for the check, a private one for
 * the connection.
 */
export function createGuardedAgent(options: GuardedAgentOptions): GuardedAgent {
  const connector = guardedConnector(options);
  const dispatcher = new Agent({
    connect: connector,
    // Unlimited: callers bound their concurrent fetches. With a limit here, a fetch could time out while it waits for the connection of
    // another, and a good source would count as broken.
    connections: null,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { dispatcher, connect: (url, signal) => connectOnce(connector, url, signal) };
}

function guardedConnector(options: GuardedAgentOptions): buildConnector.connector {
  const { resolve, acceptsAddress, connectTimeoutMs } = options;
  const connect = buildConnector({
    lookup: createCheckedLookup(resolve, acceptsAddress),
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
  });
  return (target, callback) => {
    // Node does not call `lookup` for a literal address, so this is the only check of it.
    if (isIP(target.hostname) !== 0 && !acceptsAddress(target.hostname)) {
      queueMicrotask(() => callback(forbidden(`${target.hostname} is not a public address`), null));
      return;
    }
    connect(target, callback);
  };
}

function connectOnce(connect: buildConnector.connector, url: URL, signal: AbortSignal): Promise<Socket> {
  const { protocol, host, port } = url;
  // Without the brackets of an IPv6 address, as Node expects it.
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    connect({ protocol, host, hostname, port }, (error, socket) => {
      if (!socket) return reject(error);
      const destroy = () => socket.destroy(signal.reason);
      signal.addEventListener('abort', destroy);
      socket.once('close', () => signal.removeEventListener('abort', destroy));
      // Whoever reads gets the error, too; without a listener, one that nobody reads would crash the process.
      socket.on('error', () => {});
      if (signal.aborted) destroy();
      resolve(socket);
    });
  });
}

function createCheckedLookup(
  resolve: ResolveAll,
  acceptsAddress: (address: string) => boolean,
): LookupFunction {
  return (hostname, { all, family, hints }, callback) => {
    const options: LookupAllOptions = { all: true, verbatim: true };
    if (family !== undefined) options.family = family;
    if (hints !== undefined) options.hints = hints;
    resolve(hostname, options, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) {
        callback(unresolved(hostname, error), '');
        return;
      }
      // A single refused address refuses the name, since it is not predictable which address a connection uses. The message does not
      // contain the address: it would disclose internal DNS.
      if (!addresses.every(({ address }) => acceptsAddress(address))) {
        callback(forbidden(`${hostname} resolves to an address that is not public`), '');
        return;
      }
      if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function forbidden(message: string): EdgepressError {
  return new EdgepressError('source_forbidden', message);
}

function unresolved(hostname: string, error: NodeJS.ErrnoException | null): EdgepressError {
  const reason = error?.code ?? 'no address';
  return new EdgepressError('source_unavailable', `DNS: ${reason} for ${hostname}`, {
    retryable: true,
    cause: error ?? undefined,
  });
}
