import type { ErrorCode } from './error.ts';

type Status = readonly [status: number, title: string];

// HTTP status and title of each code, in two tables, so that the edge function has the first one only. No other place knows them.

/** Of what the edge refuses, as the server does. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, Status>>> = {
  bad_request: [400, 'Bad Request'],
  bad_signature: [403, 'Forbidden'],
  expired: [403, 'Forbidden'],
  source_forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
};

const OTHERS: Readonly<Partial<Record<ErrorCode, Status>>> = {
  unauthorized: [401, 'Unauthorized'],
  source_not_found: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  source_too_large: [413, 'Content Too Large'],
  source_not_image: [415, 'Unsupported Media Type'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  source_corrupt: [422, 'Unprocessable Content'],
  source_unavailable: [502, 'Bad Gateway'],
  overloaded: [503, 'Service Unavailable'],
  source_timeout: [504, 'Gateway Timeout'],
};

const INTERNAL: Status = [500, 'Internal Server Error'];

/** Long enough to absorb many requests for the same broken image, short enough for a repaired one to show soon. */
const BROKEN_SOURCE_MAX_AGE_SECONDS = 60;

/** What a problem document says. */
export interface Problem {
  code: ErrorCode;
  /** Public: says what is wrong, where, and what to do. */
  detail: string;
  parameter?: string | undefined;
  /** Whether the same request may succeed later. Default: `false`. */
  retryable?: boolean | undefined;
  retryAfterSeconds?: number | undefined;
}

export interface ProblemResponse {
  status: number;
  /** Name of the status. */
  title: string;
  headers: Record<string, string>;
  /** A problem document (RFC 9457) with more members: `code`, `retryable`, and `parameter` where one is wrong. */
  body: string;
}

/** Makes the HTTP response for an error (RFC 9457). */
export function problemResponse(problem: Problem): ProblemResponse {
  const code = problem.code;
  const retryAfterSeconds = problem.retryAfterSeconds;
  const response = responseWith(problem, REFUSALS[code] || OTHERS[code] || INTERNAL);
  const headers = response.headers;
  headers['Cache-Control'] = cacheControlFor(code, retryAfterSeconds);
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  // A 401 must name the authentication scheme (RFC 9110, section 11.6.1).
  if (code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer';
  return response;
}

/** Makes the HTTP response for what the edge refuses: the same as `problemResponse`. */
export function refusalResponse(problem: Problem): ProblemResponse {
  return responseWith(problem, REFUSALS[problem.code] as Status);
}

function responseWith(problem: Problem, status: Status): ProblemResponse {
  const document = {
    type: 'about:blank',
    title: status[1],
    status: status[0],
    detail: problem.detail,
    code: problem.code,
    parameter: problem.parameter,
    retryable: problem.retryable === true,
  };
  const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  return { status: status[0], title: status[1], headers, body: JSON.stringify(document) };
}

/** Failures of a source are the same for every client, so caches may share them. Refusals depend on the request and the rules. */
const SHARED_CODES: readonly ErrorCode[] = [
  'source_not_found',
  'source_too_large',
  'source_not_image',
  'source_corrupt',
  'source_unavailable',
  'source_timeout',
];

/** Returns a `Cache-Control` that never outlives the next attempt at the source. */
function cacheControlFor(code: ErrorCode, retryAfterSeconds: number | undefined): string {
  if (SHARED_CODES.indexOf(code) < 0) return 'no-store';
  const nextAttempt = retryAfterSeconds === undefined ? BROKEN_SOURCE_MAX_AGE_SECONDS : retryAfterSeconds;
  return `public, max-age=${Math.min(nextAttempt, BROKEN_SOURCE_MAX_AGE_SECONDS)}`;
}

/**
 * Headers of every response: pages of any origin may show and read it, pages that isolate themselves with COEP among them, and browsers
 * neither sniff its type nor run anything in it.
 */
export const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Timing-Allow-Origin': '*',
} as const;

/** The response headers that pages of another origin may read, besides those that they always may. */
export const EXPOSED_HEADERS = [
  'Accept-Ranges',
  'Age',
  'Cache-Status',
  'Content-Range',
  'ETag',
  'Retry-After',
  'Server-Timing',
] as const;

/**
 * Headers of the answer to a CORS preflight of an image: any page may ask with any header. The requests that pages send carry nothing
 * secret, since the answer is the same for everyone.
 */
export const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, HEAD',
  'Access-Control-Allow-Headers': '*',
  // A day; browsers keep it for two hours at most.
  'Access-Control-Max-Age': '86400',
} as const;
