import type { Context } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import { z } from 'zod';
import { EdgepressError } from '../protocol/error.ts';
import { type Fault, loopFault, methodNotAllowedFault, notFoundFault } from '../protocol/fault.ts';
import {
  COMMON_HEADERS,
  EXPOSED_HEADERS,
  PREFLIGHT_HEADERS,
  type ProblemResponse,
  problemResponse,
} from '../protocol/problem.ts';
import { shuttingDown } from '../variant/overloaded.ts';
import type { Trace } from '../variant/trace.ts';
import { withMaxAge } from '../variant/variant-object.ts';
import { encodeJson } from './encode-json.ts';
import type { AppEnvironment } from './http-request.ts';

/** `COMMON_HEADERS` is the one table of the headers that every public response carries. It is read once, at load. */
const COMMON_HEADER_ENTRIES = Object.entries({
  ...COMMON_HEADERS,
  'Access-Control-Expose-Headers': EXPOSED_HEADERS.join(', '),
});

/** The only common header of responses that are not public: those of unit routes, and the front page. */
export const PRIVATE_HEADERS = { 'X-Content-Type-Options': COMMON_HEADERS['X-Content-Type-Options'] };

/**
 * Adds the headers that every public response carries, in place. This runs for each hit, hence the loop: spreading the table into a
 * literal costs a quarter more CPU per hit. Hono's `secure-headers` costs a third more, since it reads the headers of a finished
 * response.
 *
 * @returns the same object
 */
export function addCommonHeaders(headers: Record<string, string>): Record<string, string> {
  for (const [name, value] of COMMON_HEADER_ENTRIES) headers[name] = value;
  return headers;
}

/**
 * Returns the parts of the problem document for an error, with the common headers.
 *
 * @param secondsToExpiry - how long the URL is still valid, if it expires: no cache keeps the document for longer
 */
export function problemOf(error: EdgepressError, secondsToExpiry?: number): ProblemResponse {
  const { code, message: detail, parameter, retryable, retryAfterSeconds } = error;
  const problem = problemResponse({ code, detail, parameter, retryable, retryAfterSeconds });
  const headers = addCommonHeaders(problem.headers);
  headers['Cache-Control'] = withMaxAge(headers['Cache-Control'] ?? '', secondsToExpiry);
  if (!error.members) return { ...problem, headers };
  return { ...problem, headers, body: JSON.stringify({ ...JSON.parse(problem.body), ...error.members }) };
}

/** Returns the error that the client learns; a bug is logged. */
export function errorFor(error: unknown, log: Logger, trace: Trace): EdgepressError {
  if (error instanceof EdgepressError) return error;
  log.error(
    { err: error, requestId: trace.requestId, unit: trace.unit },
    'a bug: no input may cause this error',
  );
  return internalError();
}

/** Returns the error for a bug: the client only learns that there is one. */
export function internalError(): EdgepressError {
  return new EdgepressError('internal', 'Something went wrong here, and was logged');
}

/** Answers a request with the problem document for an error. */
export function sendProblem(c: Context<AppEnvironment>, error: EdgepressError): Response {
  const trace = c.get('trace');
  const { status, headers, body } = problemOf(error, trace.secondsToExpiry);
  const bytes = Buffer.byteLength(body);
  headers['Content-Length'] = String(bytes);
  if (c.req.method !== 'HEAD') trace.bytesOut = bytes;
  // Not `new Response`: the context may already have an `Allow` or `Connection` header.
  return c.newResponse(body, status as StatusCode, headers);
}

/** Answers a request to a unit route with JSON. It ends with a line break, for terminals. Others get a turn while long lists are written. */
export async function sendJson(
  c: Context<AppEnvironment>,
  value: object,
  status: 200 | 202 = 200,
): Promise<Response> {
  return sendBody(c, await encodeJson(value), 'application/json', status);
}

/** Answers a request to a unit route. */
export function sendText(
  c: Context<AppEnvironment>,
  body: string,
  contentType: string,
  status: 200 | 202 = 200,
): Response {
  return sendBody(c, Buffer.from(body), contentType, status);
}

function sendBody(
  c: Context<AppEnvironment>,
  body: Buffer<ArrayBuffer>,
  contentType: string,
  status: 200 | 202,
): Response {
  c.get('trace').bytesOut = c.req.method === 'HEAD' ? 0 : body.byteLength;
  return c.body(body, status, { 'Content-Type': contentType, ...PRIVATE_HEADERS });
}

/** Answers a CORS preflight: a page of another origin asks whether it may send a request with headers of its own. */
export function answerPreflight(c: Context<AppEnvironment>): Response {
  return c.body(null, 204, addCommonHeaders({ ...PREFLIGHT_HEADERS }));
}

// Every refusal is an `EdgepressError` that the app answers with a problem document.

/** Refuses a path without a route. */
export function refusePath(): never {
  throw toError(notFoundFault());
}

/** @param allowed - the methods of the route, in the form of the `Allow` header */
export function refuseMethod(c: Context, allowed: string): never {
  c.header('Allow', allowed);
  throw toError(methodNotAllowedFault(c.req.method, allowed));
}

/**
 * Refuses a request that this service sent itself.
 *
 * @param cdnLoop - the value of `CDN-Loop` (RFC 8586)
 */
export function refuseLoop(cdnLoop: string | undefined): void {
  const fault = loopFault(cdnLoop);
  if (fault) throw toError(fault);
}

function toError({ code, detail }: Fault): EdgepressError {
  return new EdgepressError(code, detail);
}

/** Refuses new work while the process drains, and closes the connection. */
export function refuseWork(c: Context): never {
  c.header('Connection', 'close');
  throw shuttingDown();
}

/**
 * Refuses the rest of a body while the process drains. The connection stays open: closing it while data still arrives would lose the
 * response. The listener closes it soon after.
 */
export function refuseRestOfBody(): never {
  throw shuttingDown();
}

/** A guess at how long the store, the queue or the CDN needs to recover. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Turns an error of a dependency into the error for the client. The store, the queue and the CDN may fail at any time: that is no bug,
 * and the same request may succeed later. Their own messages are for the log only.
 *
 * @param detail - public: what could not be done
 * @returns an EdgepressError `overloaded` with the error as its cause; or `error` itself if it is an EdgepressError or a bug
 */
export function asDependencyFailure(error: unknown, detail: string): unknown {
  if (error instanceof EdgepressError || isBug(error)) return error;
  return new EdgepressError('overloaded', detail, {
    cause: error,
    retryable: true,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** Disks and networks do not throw what the language and schemas throw. */
function isBug(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError, z.ZodError].some(
    (kind) => error instanceof kind,
  );
}
