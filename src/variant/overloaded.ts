import { EdgepressError } from '../protocol/error.ts';

/** How long a client should wait before it sends a request again that was refused for another reason than a queue. */
const RETRY_AFTER_SECONDS = 5;
/** The longest wait that is asked for: what is measured does not tell what comes later. */
const MAX_RETRY_AFTER_SECONDS = 60;

/** Returns the error for work that is refused because the process is about to exit. */
export function shuttingDown(): EdgepressError {
  return overloaded('The server is shutting down: try again');
}

/**
 * Returns the `overloaded` error for a request that may succeed in a few seconds.
 *
 * @param waitMs - how long it would have to wait now, as measured
 */
export function overloaded(detail: string, waitMs = RETRY_AFTER_SECONDS * 1000): EdgepressError {
  const seconds = Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(waitMs / 1000)));
  // Nobody reads where a refusal came from, and to find that out takes a third of its time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new EdgepressError('overloaded', detail, { retryable: true, retryAfterSeconds: seconds });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
