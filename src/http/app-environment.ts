import type { Hono } from 'hono';
import type { Trace } from '../variant/trace.ts';

/** What an adapter hands the app beside the request. */
export interface RawRequest {
  /** On Node, its own request, whose `url` is the raw target. */
  incoming?: { url?: string | undefined };
  /** On Lambda, the event of the function URL. */
  event?: { rawPath: string; rawQueryString: string };
}

/**
 * The request target exactly as it was sent: path and query. `Request.url` is a poor substitute, taken only where an
 * adapter has nothing better: a parser has rewritten apostrophes and dot segments in it.
 */
export function targetOf(request: Request, raw: RawRequest | undefined): string {
  const url = raw?.incoming?.url ?? targetOfEvent(raw?.event) ?? request.url;
  return url.startsWith('/') ? url : withoutOrigin(url);
}

function targetOfEvent(event: RawRequest['event']): string | undefined {
  if (!event) return undefined;
  return event.rawQueryString === '' ? event.rawPath : `${event.rawPath}?${event.rawQueryString}`;
}

/** Proxies may send the whole URL as the target (RFC 9112, section 3.2.2). */
function withoutOrigin(url: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(\/.*)?$/i.exec(url);
  return match?.[1] ?? '/';
}

export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

/** Without the question mark; empty when there is none. */
export function queryOf(target: string): string {
  return target.slice(pathOf(target).length + 1);
}

/** What handlers find beside the request. */
export type AppEnvironment = {
  Bindings: RawRequest;
  Variables: {
    trace: Trace;
    /** What an operator's request came to, for its log line. */
    counts?: Readonly<Record<string, number>>;
  };
};

export type App = Hono<AppEnvironment>;
