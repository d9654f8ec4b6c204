import type { Readable } from 'node:stream';
import { request } from 'undici';
import { traceHeaders } from '../telemetry/request-context.ts';
import { hostAndPort, isPublicAddress, parsePrivateHost } from './address-guard.ts';
import { type AllowPattern, assertUrlAllowed } from './allowlist.ts';
import { watchPace } from './body-pace.ts';
import { createGuardedAgent, type GuardedAgent, type ResolveAll } from './guarded-agent.ts';
import { createHostBreakers, type HostBreakers } from './host-breakers.ts';
import { headerValue, type ResponseHead, redirectTarget, responseFailure } from './http-response.ts';
import { requestLeniently } from './lenient-http.ts';
import { createNameResolver } from './name-resolver.ts';
import { readBody } from './read-body.ts';
import { createRedirectCookies } from './redirect-cookies.ts';
import type { AnswerWatcher, SourceFetcher } from './source.ts';
import {
  isClosedConnection,
  isInvalidHttp,
  sourceFailure,
  unavailable,
  withDeadline,
} from './source-failure.ts';
import { headersFor, type SourceHeaderRule } from './source-headers.ts';
import { parseWebSource, shownHost } from './source-url.ts';

export interface HttpSourceOptions {
  /** The URLs that may be fetched, checked at every hop; empty: any with a public address. */
  allow: readonly AllowPattern[];
  /** `host:port` of services that may have private addresses. They must match `allow` as well. */
  allowPrivate?: readonly string[];
  maxBytes: number;
  /** The time for the whole fetch: DNS, connections, all redirects and the body, in milliseconds. */
  timeoutMs: number;
  /** Default 10. */
  maxRedirects?: number;
  /** The `User-Agent` of requests. */
  userAgent: string;
  /** Returns the headers of requests to private sources; default: none. */
  sourceHeaders?: () => Promise<readonly SourceHeaderRule[]>;
  /** Refuse requests to hosts that are down. Default: breakers of this source alone. */
  hosts?: HostBreakers;
  /** Default `createNameResolver`. */
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
/** The longest that reading a body that is not used may take, which frees its connection for the next request. */
const MAX_DISCARDED_BYTES = 131_072;
const MAX_DISCARD_MS = 250;

/**
 * Creates a fetcher of `http(s)` sources that reaches nothing but public addresses (SSRF protection). Every hop, the first like each
 * redirect, is checked for its scheme, credentials and the allowlist, and connects through `createGuardedAgent`.
 *
 * Whatever a source does, `fetch` returns the whole body or throws an EdgepressError.
 */
export function createHttpSource(options: HttpSourceOptions): HttpSource {
  const { timeoutMs, acceptsAddress = isPublicAddress } = options;
  const { resolve = createNameResolver(), hosts = createHostBreakers() } = options;
  const privateHosts = new Set(options.allowPrivate?.map(parsePrivateHost));
  // Two agents have separate connection pools: a connection made without the guard never serves a host that needs it.
  const guarded = createGuardedAgent({ resolve, acceptsAddress, connectTimeoutMs: timeoutMs });
  const trusting = createGuardedAgent({ resolve, acceptsAddress: () => true, connectTimeoutMs: timeoutMs });
  const agentFor = (url: URL) => (privateHosts.has(hostAndPort(url)) ? trusting : guarded);
  const closing = new AbortController();
  return {
    assertAllowed: (src) => assertUrlAllowed(parseWebSource(src), options.allow),
    assertReachable: (src) => hosts.assertReachable(hostAndPort(parseWebSource(src))),
    async fetch(src, abandoned, watcher) {
      const url = parseWebSource(src);
      const headerRules = (await options.sourceHeaders?.()) ?? [];
      const follow = (deadline: AbortSignal) => {
        const signal = AbortSignal.any([deadline, closing.signal]);
        return followRedirects(url, { options, hosts, agentFor, signal, abandoned, watcher, headerRules });
      };
      return await withDeadline(timeoutMs, shownHost(url), follow, abandoned);
    },
    async close() {
      closing.abort(unavailable('this service is shutting down', { retryable: true }));
      await Promise.all([guarded.dispatcher.destroy(), trusting.dispatcher.destroy()]);
    },
  };
}

/** What the hops of one fetch have in common. */
interface FetchContext {
  options: HttpSourceOptions;
  hosts: HostBreakers;
  agentFor: (url: URL) => GuardedAgent;
  signal: AbortSignal;
  abandoned: AbortSignal | undefined;
  /** Told of the body of an image. */
  watcher: AnswerWatcher | undefined;
  headerRules: readonly SourceHeaderRule[];
}

async function followRedirects(first: URL, context: FetchContext): Promise<Uint8Array<ArrayBuffer>> {
  const { hosts, signal, abandoned } = context;
  const { allow, timeoutMs, maxRedirects = 10 } = context.options;
  const cookies = createRedirectCookies();
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    assertUrlAllowed(url, allow);
    // What a client's server is told is for that server alone, wherever it redirects.
    const headers = url.host === first.host ? headersFor(context.headerRules, url) : {};
    const hop = { ...context, url, headers, cookie: cookies.headerFor(url) };
    const request = { host: hostAndPort(url), resource: url.href, signal, abandoned, timeoutMs };
    const result = await hosts.run(request, (hopSignal, answered) =>
      fetchHop({ ...hop, signal: hopSignal }, answered),
    );
    if (result instanceof Uint8Array) return result;
    cookies.store(url, result.setCookie);
    url = result.target;
  }
  throw unavailable(`more than ${maxRedirects} redirects from ${shownHost(first)}`, { retryable: false });
}

interface Hop extends FetchContext {
  url: URL;
  /** Those of private sources. */
  headers: Readonly<Record<string, string>>;
  cookie: string | undefined;
}

interface Redirect {
  target: URL;
  setCookie: string | string[] | undefined;
}

/**
 * Fetches one URL, without following its redirect. What a second attempt over a new connection may mend is tried once more: a connection of
 * the pool that the server had closed meanwhile, or a response that only a lenient reader understands.
 *
 * @param answered - is called when the head of a response has arrived
 * @throws EdgepressError
 */
async function fetchHop(hop: Hop, answered: () => void): Promise<Uint8Array<ArrayBuffer> | Redirect> {
  const from = shownHost(hop.url);
  let response: Response | undefined;
  try {
    response = await requestFromPool(hop);
    answered();
    return await readResponse(hop, response);
  } catch (error) {
    const tryAgain = isInvalidHttp(error) || (!response && isClosedConnection(error));
    if (!tryAgain || hop.signal.aborted) throw sourceFailure(error, from);
  }
  try {
    response = await requestOnNewConnection(hop);
    answered();
    return await readResponse(hop, response);
  } catch (error) {
    throw sourceFailure(error, from);
  }
}

function requestFromPool(hop: Hop): Promise<Response> {
  const { url, agentFor, signal } = hop;
  const { dispatcher } = agentFor(url);
  return request(url, { dispatcher, method: 'GET', headers: requestHeaders(hop), signal });
}

async function requestOnNewConnection(hop: Hop): Promise<Response> {
  const { url, agentFor, signal } = hop;
  const socket = await agentFor(url).connect(url, signal);
  return await requestLeniently(socket, { url, headers: requestHeaders(hop) });
}

function requestHeaders({ options, headers, cookie }: Hop): Record<string, string> {
  return {
    'user-agent': options.userAgent,
    accept: ACCEPT,
    // Images are compressed already: a content encoding would cost time, and allow decompression bombs.
    'accept-encoding': 'identity',
    // Lets this service detect a source URL that leads back to itself (RFC 8586).
    'cdn-loop': 'edgepress',
    ...traceHeaders(),
    ...(cookie !== undefined && { cookie }),
    ...headers,
  };
}

interface Response extends ResponseHead {
  body: Readable;
}

/**
 * Returns the body of a response, or where it redirects to.
 *
 * @throws EdgepressError for a response that is neither, and the errors of `readBody`
 */
async function readResponse(
  { url, options, signal, watcher }: Hop,
  response: Response,
): Promise<Uint8Array<ArrayBuffer> | Redirect> {
  const { headers, body } = response;
  try {
    const target = redirectTarget(response, url);
    if (target) {
      await discard(body);
      return { target, setCookie: headers['set-cookie'] };
    }
    const failure = responseFailure(response, url, Date.now());
    if (failure) throw failure;
    await watcher?.onAnswer();
  } catch (error) {
    await discard(body);
    throw error;
  }
  const declared = headerValue(headers, 'content-length');
  const from = shownHost(url);
  watchPace(body, { watcher, timeoutMs: options.timeoutMs, from });
  return await readBody(body, {
    maxBytes: options.maxBytes,
    declaredBytes: declared === undefined ? undefined : Number(declared),
    encoding: headerValue(headers, 'content-encoding'),
    signal,
    from,
  });
}

/** Reads a short body to its end, so that the connection can be reused; closes the connection of one that is long or slow. */
async function discard(body: Readable): Promise<void> {
  const timer = setTimeout(() => body.destroy(), MAX_DISCARD_MS);
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_DISCARDED_BYTES) break;
    }
  } catch {
    // The response is not used, so it does not matter how it ends.
  } finally {
    clearTimeout(timer);
  }
}
