import { EdgepressError } from '../protocol/error.ts';
import { InvalidHttpError, MAX_HEADER_BYTES } from './lenient-http.ts';

const TIMEOUT =
  /^(ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|TimeoutError|ERR_TLS_HANDSHAKE_TIMEOUT)$/;
/** Node's own codes, OpenSSL's, and those of its certificate verification (X509_V_ERR_…). */
const TLS =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERROR_IN_C|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$)/;
/** A response that undici cannot parse. Its parser's own errors have a name, and not always a code; a status below 100 fails an assertion. */
const INVALID_HTTP = /^(HPE_|HTTPParserError$|UND_ERR_RES|ERR_ASSERTION$)/;
const CLOSED = /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/;
/** The codes of zlib and Brotli. */
const ENCODING = /^(Z_|ERR_BROTLI|ERR__ERROR)/;

/** This machine has no more handles, memory or ports: a fault of ours, not of the source. */
const OWN_LACK = /^(EMFILE|ENFILE|ENOMEM|ENOBUFS|EADDRNOTAVAIL)$/;
const OWN_LACK_RETRY_SECONDS = 5;

const CONNECTION_MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  UND_ERR_DESTROYED: 'this service is shutting down',
  UND_ERR_SOCKET: 'closed before the response was complete',
  EOF: 'closed before the response was complete',
};

/**
 * Converts the error of a fetch to an EdgepressError whose message anyone may read. The message has only the code of the original error,
 * since the original message contains the address that a name resolved to; the original is the `cause`.
 *
 * @param from - the host, as `shownHost` returns it, or the bucket
 * @returns `source_timeout` or `source_unavailable`, both retryable; `overloaded` if this machine lacks handles, memory or ports; an
 *   EdgepressError is returned as it is
 */
export function sourceFailure(error: unknown, from: string): EdgepressError {
  if (error instanceof EdgepressError) return error;
  if (OWN_LACK.test(codeOf(error))) {
    const detail = `this server has no resources left for another connection (${codeOf(error)}): try again`;
    return new EdgepressError('overloaded', detail, {
      retryable: true,
      retryAfterSeconds: OWN_LACK_RETRY_SECONDS,
      cause: error,
    });
  }
  if (TIMEOUT.test(codeOf(error))) return timeoutFailure(from, 'the connection timed out', error);
  return unavailable(messageFor(error, from), { retryable: true, cause: error });
}

/**
 * Whether a failure before any answer can mean that the host is down: DNS, TLS, the connection, or no answer in time. Not an address that is
 * forbidden, an answer that is not valid HTTP, or a lack of this machine.
 */
export function saysHostIsDown(error: unknown): error is EdgepressError {
  if (!(error instanceof EdgepressError)) return false;
  if (error.code === 'source_timeout') return true;
  if (error.code !== 'source_unavailable') return false;
  const { cause } = error;
  const isAnswer =
    cause instanceof InvalidHttpError || isInvalidHttp(cause) || codeOf(cause) === 'UND_ERR_HEADERS_OVERFLOW';
  return !isAnswer && !OWN_LACK.test(codeOf(cause));
}

/** Returns a `source_unavailable` error. */
export function unavailable(
  message: string,
  options: { retryable: boolean; retryAfterSeconds?: number; cause?: unknown },
): EdgepressError {
  return new EdgepressError('source_unavailable', message, options);
}

/** Whether undici could not parse a response; a lenient reader may. */
export function isInvalidHttp(error: unknown): boolean {
  return INVALID_HTTP.test(codeOf(error));
}

/** Whether the other side closed the connection. */
export function isClosedConnection(error: unknown): boolean {
  return CLOSED.test(codeOf(error));
}

function messageFor(error: unknown, from: string): string {
  if (error instanceof InvalidHttpError) return `the answer of ${from} is not valid HTTP: ${error.message}`;
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return `the answer of ${from} has more than ${MAX_HEADER_BYTES} bytes of headers`;
  if (TLS.test(code)) return `TLS: ${code} at ${from}`;
  if (ENCODING.test(code))
    return `the body from ${from} cannot be decoded as its Content-Encoding says (${code})`;
  return `connection: ${CONNECTION_MESSAGES[code] ?? code} (${from})`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  // undici's HTTPParserError may have a code that is undefined.
  const code: unknown = ('code' in error ? error.code : undefined) ?? error.name;
  return typeof code === 'string' && /^[A-Za-z0-9_]{1,60}$/.test(code) ? code : 'failed';
}

/**
 * Runs work with a deadline. It rejects in time even if the work ignores its signal, as a DNS query does, or a request that waits for a
 * connection of the pool.
 *
 * @param timeoutMs - the time for all of the work, in milliseconds
 * @param from - the host or bucket, for the message
 * @param abandoned - aborts the work when nobody waits for it any more
 * @throws EdgepressError `source_timeout`, retryable, once the deadline has passed; before that, what the work throws
 * @throws the reason of `abandoned`, whatever the work throws because of it
 */
export async function withDeadline<T>(
  timeoutMs: number,
  from: string,
  work: (signal: AbortSignal) => Promise<T>,
  abandoned?: AbortSignal,
): Promise<T> {
  abandoned?.throwIfAborted();
  const controller = new AbortController();
  let end: (reason: unknown) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = (reason) => {
      reject(reason);
      controller.abort(reason);
    };
  });
  const timer = setTimeout(() => {
    end(timeoutFailure(from, `no complete response within ${timeoutMs} ms`));
  }, timeoutMs);
  const onAbandoned = () => end(abandoned?.reason);
  abandoned?.addEventListener('abort', onAbandoned);
  try {
    // The first: it has rejected before the work learns of the abort.
    return await Promise.race([ended, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    abandoned?.removeEventListener('abort', onAbandoned);
  }
}

/** Returns a `source_timeout` error. */
export function timeoutFailure(from: string, reason: string, cause?: unknown): EdgepressError {
  return new EdgepressError('source_timeout', `${from}: ${reason}`, { retryable: true, cause });
}
