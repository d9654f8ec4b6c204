import { lookup } from 'node:dns';
import { type Agent, type Dispatcher, request } from 'undici';
import { hostAndPort, isPublicAddress, parsePrivateHost } from './address-guard.ts';
import { type AllowPattern, assertUrlAllowed } from './allowlist.ts';
import { createGuardedAgent, type ResolveAll } from './guarded-agent.ts';
import { answerFailure, headerOf, redirectTarget } from './http-response.ts';
import { readBody } from './read-body.ts';
import type { SourceFetcher } from './source.ts';
import { sourceFailure, unavailable, withDeadline } from './source-failure.ts';
import { parseWebSource, shownHost } from './source-url.ts';

export interface HttpSourceOptions {
  /** Which URLs may be fetched, at every hop; empty: any with a public address. */
  allow: readonly AllowPattern[];
  /** `host:port` of services that may be at private addresses; these must be within `allow` all the same. */
  allowPrivate?: readonly string[];
  maxBytes: number;
  /** For the whole fetch: names, connections, every redirect and the body. */
  timeoutMs: number;
  /** Default 5. */
  maxRedirects?: number;
  /** Our own, for the `User-Agent`. */
  version: string;
  /** Default `dns.lookup`. */
  resolve?: ResolveAll;
  /** Default `isPublicAddress`. */
  acceptsAddress?: (address: string) => boolean;
}

export interface HttpSource extends SourceFetcher {
  /** Closes every connection; fetches that are under way fail with `source_unavailable`. */
  close(): Promise<void>;
}

/** The best originals first; whatever else is an image is still better than a 406. */
const ACCEPT =
  'image/jpeg,image/png,image/webp,image/gif,image/avif;q=0.9,image/heic;q=0.9,image/*;q=0.8,*/*;q=0.1';
/** What is read of an answer that nobody needs, so that its connection can be used again. */
const MAX_DISCARDED_BYTES = 131_072;
const MAX_DISCARD_MS = 250;

/**
 * Returns a fetcher of `http(s)` sources that cannot be made to reach anything but public addresses: every hop, the first
 * like each redirect, passes the scheme, the credentials and the allowlist check, and connects through `createGuardedAgent`.
 *
 * Whatever a source does, `fetch` throws nothing but an EdgepressError, and returns the whole body or nothing.
 */
export function createHttpSource(options: HttpSourceOptions): HttpSource {
  const { timeoutMs, resolve = lookup, acceptsAddress = isPublicAddress } = options;
  const privateHosts = new Set(options.allowPrivate?.map(parsePrivateHost));
  // Two agents, and so two sets of connections: none that was made without the guard can ever serve a host that needs it.
  const guarded = createGuardedAgent({ resolve, accepts: acceptsAddress, connectTimeoutMs: timeoutMs });
  const trusting = createGuardedAgent({ resolve, accepts: () => true, connectTimeoutMs: timeoutMs });
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
      const answer = await get(url, agentFor(url), options.version, signal);
      const next = await readHead(answer, url);
      if (!next) return await readAnswer(answer, url, options.maxBytes, signal);
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
      // A second encoding of bytes that are compressed already costs time, and is a way to send a bomb.
      'accept-encoding': 'identity',
      // So that a source URL that leads back to ourselves is seen as the loop that it is (RFC 8586).
      'cdn-loop': 'edgepress',
    },
    signal,
  });
}

/** Returns where to go on; `undefined` when this answer has the bytes. */
async function readHead(answer: Dispatcher.ResponseData, url: URL): Promise<URL | undefined> {
  try {
    const next = redirectTarget(answer, url);
    const failure = next ? undefined : answerFailure(answer, url, Date.now());
    if (failure) throw failure;
    if (next) await discard(answer.body);
    return next;
  } catch (error) {
    await discard(answer.body);
    throw error;
  }
}

function readAnswer(
  { headers, body }: Dispatcher.ResponseData,
  url: URL,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = headerOf(headers, 'content-length');
  return readBody(body, {
    maxBytes,
    declaredBytes: declared === undefined ? undefined : Number(declared),
    encoding: headerOf(headers, 'content-encoding'),
    signal,
    from: shownHost(url),
  });
}

/** Reads a short rest away, so that the connection is free for the next request, and hangs up on one that is long or slow. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  await body
    .dump({ limit: MAX_DISCARDED_BYTES, signal: AbortSignal.timeout(MAX_DISCARD_MS) })
    .catch(() => {});
}
