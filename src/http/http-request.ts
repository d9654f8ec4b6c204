import type { Context, Hono } from 'hono';
import { EdgepressError } from '../protocol/error.ts';
import type { Trace } from '../variant/trace.ts';

// What a handler gets with a request, and how it reads the parts that Hono does not give as they were sent.

/** What an adapter passes to the app besides the request. */
export interface RawRequest {
  /** On Node: its own request, whose `url` is the raw request target. */
  incoming?: { url?: string | undefined };
  /** On Lambda: the event of the function URL. */
  event?: { rawPath: string; rawQueryString: string };
}

export type AppEnvironment = {
  Bindings: RawRequest;
  Variables: {
    trace: Trace;
    /** Counts of units, images and objects for the log line of a unit route. */
    counts?: Readonly<Record<string, number>>;
  };
};

export type App = Hono<AppEnvironment>;
/** A request, as a handler gets it. */
export type RequestContext = Context<AppEnvironment>;

/**
 * Returns the request target exactly as it was sent: path and query. `Request.url` is only the last resort: its parser rewrites
 * apostrophes and dot segments.
 */
export function targetOf(request: Request, raw: RawRequest | undefined): string {
  const url = raw?.incoming?.url ?? targetOfEvent(raw?.event) ?? request.url;
  return url.startsWith('/') ? url : withoutOrigin(url);
}

function targetOfEvent(event: RawRequest['event']): string | undefined {
  if (!event) return undefined;
  return event.rawQueryString === '' ? event.rawPath : `${event.rawPath}?${event.rawQueryString}`;
}

/** Proxies may send a whole URL as the target (RFC 9112, section 3.2.2). */
function withoutOrigin(url: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(\/.*)?$/i.exec(url);
  // Else it is `*`, or nothing that HTTP knows.
  return match ? (match[1] ?? '/') : url;
}

export function pathOf(target: string): string {
  const queryStart = target.indexOf('?');
  return queryStart < 0 ? target : target.slice(0, queryStart);
}

/** Returns the query without the question mark; empty if there is none. */
export function queryOf(target: string): string {
  return target.slice(pathOf(target).length + 1);
}

/** Returns the query of a request exactly as it was sent, without the question mark; empty if there is none. */
export function queryIn(c: RequestContext): string {
  return queryOf(targetOf(c.req.raw, c.env));
}

/** Returns the parameters of the query of a request. */
export function parametersIn(c: RequestContext): URLSearchParams {
  return new URLSearchParams(queryIn(c));
}

/**
 * Yields the body of a request, no faster than it is consumed.
 *
 * @throws EdgepressError `bad_request` if the client disconnects before the end of the body
 */
export async function* readChunks({ body }: Request): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader();
  for (;;) {
    const next = await reader?.read().catch((cause: unknown) => {
      throw new EdgepressError('bad_request', 'The body ended before it was complete', { cause });
    });
    if (!next || next.done) return;
    yield next.value;
  }
}

/**
 * Returns the whole body of a request as UTF-8.
 *
 * @throws EdgepressError `bad_request` if the body is longer than `maxBytes`, or the client disconnects before its end
 */
export async function readText(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  for await (const chunk of readChunks(request)) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new EdgepressError('bad_request', `The body is longer than ${maxBytes} bytes: send it in parts`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
