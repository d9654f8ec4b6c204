import type { IncomingHttpHeaders } from 'node:http';
import { EdgepressError } from '../protocol/error.ts';
import { unavailable } from './source-failure.ts';
import { parseSourceUrl, shownHost } from './source-url.ts';

/** The head of an answer, as undici gives it: repeated headers, whatever their name, may come as lists. */
export interface AnswerHead {
  statusCode: number;
  headers: IncomingHttpHeaders;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const GONE = new Set([404, 410]);
const RETRYABLE = new Set([408, 425, 429]);
const WITH_RETRY_AFTER = new Set([429, 503]);
/** What a source that wants to be asked less, and does not say when, is taken to mean. */
export const USUAL_RETRY_AFTER_SECONDS = 5;
const MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60;

/**
 * Where a redirect leads, not yet checked in any way; `undefined` when the answer is none.
 *
 * @throws EdgepressError `source_unavailable` for a redirect to nowhere
 */
export function redirectTarget({ statusCode, headers }: AnswerHead, url: URL): URL | undefined {
  if (!REDIRECTS.has(statusCode)) return undefined;
  const location = headerOf(headers, 'location');
  const target = location === undefined ? undefined : parseSourceUrl(location, url);
  if (target) return target;
  const where = location === undefined ? 'without a Location' : 'to something that is not a URL';
  throw unavailable(`status ${statusCode} ${where} from the source at ${shownHost(url)}`, {
    retryable: false,
  });
}

/** What an answer that is neither a redirect nor a 200 says about the source; `undefined` for a 200. */
export function answerFailure(
  { statusCode, headers }: AnswerHead,
  url: URL,
  now: number,
): EdgepressError | undefined {
  if (statusCode === 200) return undefined;
  const message = `status ${statusCode} from the source at ${shownHost(url)}`;
  if (GONE.has(statusCode)) return new EdgepressError('source_not_found', message);
  const retryAfterSeconds = WITH_RETRY_AFTER.has(statusCode)
    ? (parseRetryAfter(headerOf(headers, 'retry-after'), now) ?? USUAL_RETRY_AFTER_SECONDS)
    : undefined;
  return unavailable(message, {
    retryable: statusCode >= 500 || RETRYABLE.has(statusCode),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/**
 * Reads a `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date.
 *
 * @param now - in milliseconds since the epoch
 * @returns seconds from now, 0 to 86,400: a source cannot ask to be left alone for ever; `undefined` when it says nothing readable
 */
export function parseRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((httpDate(text) - now) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
}

/** A header that came once, or came as the list that its repetitions stand for; a repeated `Location` is ambiguous, and so no URL. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function httpDate(text: string): number {
  // Date.parse reads many things as dates, some of them in local time.
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
