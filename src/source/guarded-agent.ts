import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { EdgepressError } from '../protocol/error.ts';

/** Resolves a name to all of its addresses: `dns.lookup` in its `all: true` form. */
export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardedAgentOptions {
  resolve: ResolveAll;
  /** Whether a connection to this address may be made. */
  accepts: (address: string) => boolean;
  /** When an attempt to connect gives up, whoever waits for it. */
  connectTimeoutMs: number;
}

const KEEP_ALIVE_MS = 4_000;
/** A server may ask for its connections to be kept longer, but not so long that it can collect them. */
const MAX_KEEP_ALIVE_MS = 30_000;
const MAX_HEADER_BYTES = 16_384;
/** Node's 250 ms gives up on an address on another continent before it has answered. */
const ADDRESS_ATTEMPT_MS = 1_000;

/**
 * Returns an agent that connects to accepted addresses only. The decision is made where the connection is, and a connection
 * gets exactly the addresses that were looked at: a name is never resolved a second time, so that DNS rebinding, a
 * good answer for the check and a bad one for the connection, has nothing to hold on to.
 *
 * Timeouts of answers are left to the signal of each request.
 */
export function createGuardedAgent({ resolve, accepts, connectTimeoutMs }: GuardedAgentOptions): Agent {
  const connect = buildConnector({
    lookup: createCheckedLookup(resolve, accepts),
    timeout: connectTimeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
  });
  return new Agent({
    connect: (options, callback) => {
      // Node does not ask `lookup` about a literal address: it must be checked here or it is not checked at all.
      if (isIP(options.hostname) !== 0 && !accepts(options.hostname)) {
        queueMicrotask(() => callback(forbidden(`${options.hostname} is not a public address`), null));
        return;
      }
      connect(options, callback);
    },
    // As many as there are fetches, which whoever fetches bounds: one that waited here for another's connection would run
    // out of time, and a good source be taken for a broken one.
    connections: null,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function createCheckedLookup(resolve: ResolveAll, accepts: (address: string) => boolean): LookupFunction {
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
      // One bad address condemns the name: which one a connection ends up with must not be a matter of luck. The message
      // does not say which, or it would read internal DNS out to anyone.
      if (!addresses.every(({ address }) => accepts(address))) {
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
