import { formatBytes } from '../command/amounts.ts';

/** What came back. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
  /** Until its last byte. */
  ms: number;
}

/** Nobody answered, for this reason. */
export class Unreachable extends Error {}

/** More than a CDN waits for a function that starts, fetches and encodes. */
const TIMEOUT_MS = 45_000;

/**
 * Asks for a URL, and follows no redirect.
 *
 * @throws Unreachable in words
 */
export async function ask(url: string, init: Pick<RequestInit, 'method' | 'headers'> = {}): Promise<Answer> {
  const startMs = performance.now();
  try {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const { status, headers } = response;
    return { status, headers, body, ms: performance.now() - startMs };
  } catch (error) {
    throw new Unreachable(explain(error, new URL(url).host));
  }
}

function explain(error: unknown, host: string): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `${host} did not answer within ${TIMEOUT_MS / 1000} s`;
  const { code = '', message = String(error) } = innermost(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host} (${code})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name of ${host} cannot be looked up (${code})`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `${host} hung up (${code})`;
    default:
      return `${host} cannot be asked: ${message}${code === '' ? '' : ` (${code})`}`;
  }
}

/** What `fetch` hides behind "fetch failed". */
function innermost(error: unknown): { code?: string; message?: string } {
  let inner: unknown = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner : {};
}

/** What a user wants to see of an answer. */
export function describeAnswer({ status, headers, body, ms }: Answer): string {
  const type = headers.get('content-type');
  const shown = ['cache-status', 'x-cache', 'age'].flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  return [
    `${status}${type === null ? '' : ` ${type}`}`,
    ...(body.length > 0 ? [formatBytes(body.length)] : []),
    ...shown,
    `${Math.round(ms)} ms`,
  ].join(', ');
}

/** Whether the service made it for this very request: by RFC 9211 it says so, and no copy that a CDN has kept counts. */
export function isMade(answer: Answer): boolean {
  return saysMiss(answer) && !isCdnHit(answer);
}

/** Whether the service made and stored it for this very request. */
export function isStored(answer: Answer): boolean {
  return isMade(answer) && /;\s*stored\b/.test(answer.headers.get('cache-status') ?? '');
}

/** Whether it is what a miss was answered with, at the time or from a CDN's copy of that. */
export function saysMiss({ headers }: Answer): boolean {
  return /\bfwd=/.test(headers.get('cache-status') ?? '');
}

/** Whether a CDN answered by itself. */
export function isCdnHit({ headers }: Answer): boolean {
  return /hit\b/i.test(headers.get('x-cache') ?? '') || Number(headers.get('age') ?? 0) > 0;
}

/** Whether it came through a CDN. */
export function isOfCdn({ headers }: Answer): boolean {
  return headers.has('x-cache') || headers.has('age');
}

/** For how many seconds a CDN keeps it, as far as it says. */
export function sharedSeconds({ headers }: Answer): number | undefined {
  const [, seconds] = /\bs-maxage=(\d+)/i.exec(headers.get('cache-control') ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
