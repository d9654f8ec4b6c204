import type { Context } from 'hono';
import { z } from 'zod';
import { EdgepressError } from '../protocol/error.ts';
import { type Fault, loopFault, methodNotAllowedFault, notFoundFault } from '../protocol/fault.ts';
import { shuttingDown } from '../variant/work-queue.ts';

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

/** Refuses a request that this service sent itself. */
export function refuseLoop(c: Context): void {
  const fault = loopFault(c.req.header('cdn-loop'));
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
