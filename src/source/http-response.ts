import type { IncomingHttpHeaders } from 'node:http';
import { EdgepressError } from '../protocol/error.ts';
import { unavailable } from './source-failure.ts';
import { parseSourceUrl, shownHost } from './source-url.ts';

/** The head of a response, as undici returns it: any repeated header may be a list. */
export interface ResponseHead {
  statusCode: number;
  headers: IncomingHttpHeaders;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const NOT_FOUND = new Set([404, 410]);
const RETRYABLE = new Set([408, 425, 429]);
const WITH_RETRY_AFTER = new Set([429, 503]);
/** Replaces the `Retry-After` of a source that asks for fewer requests but names no time. */
export const DEFAULT_RETRY_AFTER_SECONDS = 5;
const MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60;

/** Statuses whose body is the image. 203 is a 200 that a proxy changed; some servers answer with the two others. */
const SUCCESS = new Set([200, 201, 202, 203]);

/** How much of a path an error shows, in characters. The path tells a URL that was encoded twice or not at all; a query may be secret. */
const MAX_SHOWN_PATH = 200;

/**
 * Returns the target of a redirect, which is not checked in any way; `undefined` if the response is no redirect.
 *
 * @throws EdgepressError `source_unavailable` for a redirect without a valid target
 */
export function redirectTarget({ statusCode, headers }: ResponseHead, url: URL): URL | undefined {
  if (!REDIRECTS.has(statusCode)) return undefined;
  const locations = valuesOf(headers, 'location');
  const [location] = locations;
  const isOne = location !== undefined && locations.length === 1;
  const target = isOne ? parseSourceUrl(escapeBytes(location), url) : undefined;
  if (target) return target;
  const where = isOne
    ? 'to something that is not a URL'
    : location === undefined
      ? 'without a Location'
      : 'with several Locations that differ';
  throw unavailable(`status ${statusCode} ${where} from the source at ${shownHost(url)}`, {
    retryable: false,
  });
}

/** Percent-encodes the bytes of raw UTF-8, which a header value has as one character each, as browsers do. */
function escapeBytes(location: string): string {
  return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Returns the error that a response stands for, unless it is a redirect; `undefined` if its body is the whole image.
 *
 * @param nowMs - the time, in Unix milliseconds
 */
export function responseFailure(
  { statusCode, headers }: ResponseHead,
  url: URL,
  nowMs: number,
): EdgepressError | undefined {
  if (SUCCESS.has(statusCode) || (statusCode === 206 && isWhole(headers))) return undefined;
  const message = `status ${statusCode} from the source at ${shownHost(url)}`;
  if (NOT_FOUND.has(statusCode)) {
    const hint = url.pathname.includes('+') ? ' (`+` in src is a plus: write a space as %20)' : '';
    const path = url.pathname.slice(0, MAX_SHOWN_PATH);
    return new EdgepressError('source_not_found', `${message} for ${path}${hint}`);
  }
  const retryAfterSeconds = WITH_RETRY_AFTER.has(statusCode)
    ? (parseRetryAfter(singleValue(headers, 'retry-after'), nowMs) ?? DEFAULT_RETRY_AFTER_SECONDS)
    : undefined;
  return unavailable(message, {
    retryable: statusCode >= 500 || RETRYABLE.has(statusCode),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Whether a partial response has all of the representation: some servers answer any request with a range. */
function isWhole(headers: IncomingHttpHeaders): boolean {
  const [, last, total] = /^bytes 0-(\d+)\/(\d+)$/i.exec(singleValue(headers, 'content-range') ?? '') ?? [];
  return last !== undefined && Number(last) === Number(total) - 1;
}

/**
 * Parses a `Retry-After` header (RFC 9110, section 10.2.3): seconds, or an HTTP date.
 *
 * @param nowMs - the time, in Unix milliseconds
 * @returns seconds from now, 0 to 86,400, so that no source can ask for an endless pause; `undefined` if the header is absent or malformed
 */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((parseHttpDate(text) - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
}

/** Returns the value of a header that is a list. Repetitions are joined to one. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Returns the value of a header that is no list; `undefined` if it is absent, or repeated with another value. */
export function singleValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const [value, ...others] = valuesOf(headers, name);
  return others.length === 0 ? value : undefined;
}

/** Returns the different values of a header: servers behind a proxy send the same one twice. */
function valuesOf(headers: IncomingHttpHeaders, name: string): string[] {
  return [...new Set([headers[name] ?? []].flat())];
}

/** In Unix milliseconds; NaN if malformed. */
function parseHttpDate(text: string): number {
  // Date.parse alone accepts many other formats, some of them in local time.
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
