import type { ErrorCode } from './error.ts';

/** The only place that knows which status a code has. */
const STATUS: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  bad_request: [400, 'Bad Request'],
  unauthorized: [401, 'Unauthorized'],
  bad_signature: [403, 'Forbidden'],
  expired: [403, 'Forbidden'],
  source_forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  source_not_found: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  source_too_large: [413, 'Content Too Large'],
  source_not_image: [415, 'Unsupported Media Type'],
  source_corrupt: [422, 'Unprocessable Content'],
  internal: [500, 'Internal Server Error'],
  source_unavailable: [502, 'Bad Gateway'],
  overloaded: [503, 'Service Unavailable'],
  source_timeout: [504, 'Gateway Timeout'],
};

/** Long enough to take the load off when many ask for the same broken image, short enough to forget. */
const BROKEN_SOURCE_MAX_AGE_SECONDS = 60;

/** What a problem document is made of. */
export interface Problem {
  code: ErrorCode;
  /** Public. */
  detail: string;
  parameter?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

export interface ProblemResponse {
  status: number;
  /** What the status is called. */
  title: string;
  headers: Record<string, string>;
  /** RFC 9457, with `code` for programs and `parameter` where one is to blame. */
  body: string;
}

/** Turns what went wrong into an answer of RFC 9457. Uses nothing but the language, so that the edge can use it too. */
export function problemResponse(problem: Problem): ProblemResponse {
  const code = problem.code;
  const retryAfterSeconds = problem.retryAfterSeconds;
  const status = STATUS[code][0];
  const title = STATUS[code][1];
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': cacheControlFor(code, retryAfterSeconds),
  };
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  // RFC 9110, section 11.6.1: a 401 says what it wants.
  if (code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer';
  const document = {
    type: 'about:blank',
    title,
    status,
    detail: problem.detail,
    code,
    parameter: problem.parameter,
  };
  return { status, title, headers, body: JSON.stringify(document) };
}

/** What is found out about a source is true for everyone who asks. Refusals are not: they depend on the request and our rules. */
const SHARED: readonly ErrorCode[] = [
  'source_not_found',
  'source_too_large',
  'source_not_image',
  'source_corrupt',
  'source_unavailable',
  'source_timeout',
];

/** Never beyond the time that a source may be tried again. */
function cacheControlFor(code: ErrorCode, retryAfterSeconds: number | undefined): string {
  if (SHARED.indexOf(code) < 0) return 'no-store';
  const left = retryAfterSeconds === undefined ? BROKEN_SOURCE_MAX_AGE_SECONDS : retryAfterSeconds;
  return `public, max-age=${Math.min(left, BROKEN_SOURCE_MAX_AGE_SECONDS)}`;
}

/** What every answer says: nothing in it may be run, sniffed or kept from the pages that ask for it. */
export const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'",
  'Access-Control-Allow-Origin': '*',
  'Timing-Allow-Origin': '*',
} as const;
