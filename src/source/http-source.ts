import { lookup } from 'node:dns';
import { type Agent, type Dispatcher, request } from 'undici';
import { hostAndPort, isPublicAddress, parsePrivateHost } from './address-guard.ts';
import { type AllowPattern, assertUrlAllowed } from './allowlist.ts';
import { createGuardedAgent, type ResolveAll } from './guarded-agent.ts';
import { headerValue, redirectTarget, responseFailure } from './http-response.ts';
import { readBody } from './read-body.ts';
import type { SourceFetcher } from './source.ts';
import { sourceFailure, unavailable, withDeadline } from './source-failure.ts';
import { parseWebSource, shownHost } from './source-url.ts';

export interface HttpSourceOptions {
  /** The URLs that may be fetched, checked at every hop; empty: any with a public address. */
  allow: readonly AllowPattern[];
  /** `host:port` of services that may have private addresses. They must match `allow` as well. */
  allowPrivate?: readonly string[];
  maxBytes: number;
  /** The time for the whole fetch: DNS, connections, all redirects and the body, in milliseconds. */
  timeoutMs: number;
  /** Default 5. */
  maxRedirects?: number;
  /** The version of this service, for the `User-Agent`. */
  version: string;
  /** Default `dns.lookup`. */
  resolve?: ResolveAll;
  /** Default `isPublicAddress`. */
  acceptsAddress?: (address: string) => boolean;
}

export interface HttpSource extends SourceFetcher {
  /** Closes all connections. Fetches in flight fail with `source_unavailable`. */
  close(): Promise<void>;
}

/** Prefers the formats that make the best originals, but accepts anything: any image is better than a 406. */
const ACCEPT =
  'image/jpeg,image/png,image/webp,image/gif,image/avif;q=0.9,image/heic;q=0.9,image/*;q=0.8,*/*;q=0.1';
/** Limits of reading a body that is not used, which frees its connection for the next request. */
const MAX_DISCARDED_BYTES = 131_072;
const MAX_DISCARD_MS = 250;

/**
 * Creates a fetcher of `http(s)` sources that reaches nothing but public addresses (SSRF protection). Every hop, the first like each
 * redirect, is checked for its scheme, credentials and the allowlist, and connects through `createGuardedAgent`.
 *
 * Whatever a source does, `fetch` returns the whole body or throws an EdgepressError.
 */
export function createHttpSource(options: HttpSourceOptions): HttpSource {
  const { timeoutMs, resolve = lookup, acceptsAddress = isPublicAddress } = options;
  const privateHosts = new Set(options.allowPrivate?.map(parsePrivateHost));
  // Two agents have separate connection pools: a connection made without the guard never serves a host that needs it.
  const guarded = createGuardedAgent({ resolve, acceptsAddress, connectTimeoutMs: timeoutMs });
  const trusting = createGuardedAgent({ resolve, acceptsAddress: () => true, connectTimeoutMs: timeoutMs });
  const agentFor = (url: URL) => (privateHosts.has(hostAndPort(url)) ? trusting : guarded);
  return {
    assertAllowed: (src) => assertUrlAllowed(parseWebSource(src), options.allow),
    async fetch(src) {
      const url = parseWebSource(src);
      return await withDeadline(timeoutMs, shownHost(url), (signal) =>
        followRedirects(url, options, agentFor, signal),
      );
    },
    async close() {
      await Promise.all([guarded.destroy(), trusting.destroy()]);
    },
  };
}

async function followRedirects(
  first: URL,
  options: HttpSourceOptions,
  agentFor: (url: URL) => Agent,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { allow, maxRedirects = 5 } = options;
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    assertUrlAllowed(url, allow);
    try {
      const response = await get(url, agentFor(url), options.version, signal);
      const next = await checkResponse(response, url);
      if (!next) return await readResponse(response, url, options.maxBytes, signal);
      url = next;
    } catch (error) {
      throw sourceFailure(error, shownHost(url));
    }
  }
  throw unavailable(`more than ${maxRedirects} redirects from ${shownHost(first)}`, { retryable: false });
}

function get(url: URL, agent: Agent, version: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return request(url, {
    dispatcher: agent,
    method: 'GET',
    headers: {
      'user-agent': `edgepress/${version}`,
      accept: ACCEPT,
      // Images are compressed already: a content encoding would cost time, and allow decompression bombs.
      'accept-encoding': 'identity',
      // Lets this service detect a source URL that leads back to itself (RFC 8586).
      'cdn-loop': 'edgepress',
    },
    signal,
  });
}

/**
 * Returns the target if the response is a redirect; `undefined` if it is a 200, whose body is still to be read.
 *
 * @throws EdgepressError for any other response
 */
async function checkResponse(response: Dispatcher.ResponseData, url: URL): Promise<URL | undefined> {
  try {
    const next = redirectTarget(response, url);
    const failure = next ? undefined : responseFailure(response, url, Date.now());
    if (failure) throw failure;
    if (next) await discard(response.body);
    return next;
  } catch (error) {
    await discard(response.body);
    throw error;
  }
}

function readResponse(
  { headers, body }: Dispatcher.ResponseData,
  url: URL,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = headerValue(headers, 'content-length');
  return readBody(body, {
    maxBytes,
    declaredBytes: declared === undefined ? undefined : Number(declared),
    encoding: headerValue(headers, 'content-encoding'),
    signal,
    from: shownHost(url),
  });
}

/** Reads a short body to its end, so that the connection can be reused; closes the connection of one that is long or slow. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  await body
    .dump({ limit: MAX_DISCARDED_BYTES, signal: AbortSignal.timeout(MAX_DISCARD_MS) })
    .catch(() => {});
}
