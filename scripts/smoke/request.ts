import { formatBytes } from '../cli/text.ts';

/** A response that was read to its end. */
export interface TimedResponse {
  status: number;
  headers: Headers;
  body: Buffer;
  /** From the request to the last byte of the body. */
  ms: number;
}

/** There was no response. The message says why. */
export class Unreachable extends Error {}

/** More than a CDN waits for a function that starts, fetches and encodes. */
const TIMEOUT_MS = 45_000;

/**
 * Requests a URL. It does not follow redirects.
 *
 * @throws Unreachable
 */
export async function request(
  url: string,
  init: Pick<RequestInit, 'method' | 'headers'> = {},
): Promise<TimedResponse> {
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
  const { code = '', message = String(error) } = rootCauseOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host} (${code})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} cannot be resolved (${code})`;
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `${host} closed the connection (${code})`;
    default:
      return `the request to ${host} failed: ${message}${code === '' ? '' : ` (${code})`}`;
  }
}

/** `fetch` fails with "fetch failed", and has the reason as its cause. */
function rootCauseOf(error: unknown): { code?: string; message?: string } {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause : {};
}

/** The status, type, size, cache headers and time of a response, for the user. */
export function formatResponse({ status, headers, body, ms }: TimedResponse): string {
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
