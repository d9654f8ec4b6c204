import { EdgepressError } from '../protocol/error.ts';

const TIMEOUT =
  /^(ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|TimeoutError|ERR_TLS_HANDSHAKE_TIMEOUT)$/;
/** Node's own codes, OpenSSL's, and those of its certificate verification (X509_V_ERR_…). */
const TLS =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERROR_IN_C|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$)/;
const MALFORMED = /^(HPE_|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES)/;
/** zlib's and Brotli's. */
const ENCODING = /^(Z_|ERR_BROTLI|ERR__ERROR)/;

const CONNECTION_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  UND_ERR_DESTROYED: 'this service is shutting down',
  UND_ERR_SOCKET: 'closed before the answer was complete',
};

/**
 * Says what went wrong with a source, in words that anyone may read: of the original error only the code goes into them,
 * because its message holds the address that a name resolved to. The original is the `cause`.
 *
 * @param from - the host, as `shownHost` gives it, or the bucket
 * @returns `source_timeout` or `source_unavailable`, both retryable; an EdgepressError as it is
 */
export function sourceFailure(error: unknown, from: string): EdgepressError {
  if (error instanceof EdgepressError) return error;
  const code = codeOf(error);
  if (TIMEOUT.test(code)) return timedOut(from, 'the connection timed out', error);
  return unavailable(describe(code, from), { retryable: true, cause: error });
}

/** The one form of `source_unavailable` of this folder. */
export function unavailable(
  message: string,
  options: { retryable: boolean; retryAfterSeconds?: number; cause?: unknown },
): EdgepressError {
  return new EdgepressError('source_unavailable', message, options);
}

function describe(code: string, from: string): string {
  if (TLS.test(code)) return `TLS: ${code} at ${from}`;
  if (MALFORMED.test(code)) return `the answer of ${from} is not valid HTTP (${code})`;
  if (ENCODING.test(code))
    return `the body from ${from} cannot be decoded as its Content-Encoding says (${code})`;
  return `connection: ${CONNECTION_WORDS[code] ?? code} (${from})`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code: unknown = 'code' in error ? error.code : error.name;
  return typeof code === 'string' && /^[A-Za-z0-9_]{1,60}$/.test(code) ? code : 'failed';
}

/**
 * Runs a piece of work that may take so long and no longer, whether it listens to its signal or not: a DNS query, or a
 * request that waits for a connection of the pool, does not.
 *
 * @param timeoutMs - for the whole of it
 * @param from - whom we waited for, for the message
 * @throws EdgepressError `source_timeout`, retryable, once the time is over; else whatever the work throws
 */
export async function withDeadline<T>(
  timeoutMs: number,
  from: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = timedOut(from, `no complete answer within ${timeoutMs} ms`);
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** The one form of `source_timeout`. */
export function timedOut(from: string, reason: string, cause?: unknown): EdgepressError {
  return new EdgepressError('source_timeout', `${from}: ${reason}`, { retryable: true, cause });
}
