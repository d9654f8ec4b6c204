import { z } from 'zod';
import { EdgepressError } from '../error.ts';

/** How long what the service depends on may need to come back, as far as anybody can tell. */
const RETRY_AFTER_SECONDS = 10;

/**
 * What a client is told of work that failed. The store, the queue and the CDN may fail at any time: that is no bug, and the same
 * request may succeed later. What they said is for the log.
 *
 * @param detail - public: what could not be done
 * @returns an EdgepressError `overloaded`, or `error` itself where that says what it is or is a bug
 */
export function asOutsideFault(error: unknown, detail: string): unknown {
  if (error instanceof EdgepressError || isBug(error)) return error;
  return new EdgepressError('overloaded', detail, {
    cause: error,
    retryable: true,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** What the language or a schema throws is not what a disk or a network does. */
function isBug(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError, z.ZodError].some(
    (kind) => error instanceof kind,
  );
}
