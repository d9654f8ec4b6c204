import type { Context } from 'hono';
import { z } from 'zod';
import { EdgepressError } from '../protocol/error.ts';
import { type Fault, loopFault, methodNotAllowedFault, notFoundFault } from '../protocol/fault.ts';

export function refusePath(): never {
  refuse(notFoundFault());
}

/** @param allowed - the methods that there are, as `Allow` lists them */
export function refuseMethod(c: Context, allowed: string): never {
  c.header('Allow', allowed);
  refuse(methodNotAllowedFault(c.req.method, allowed));
}

/** Refuses what comes from this service itself. */
export function refuseLoop(c: Context): void {
  const fault = loopFault(c.req.header('cdn-loop'));
  if (fault) refuse(fault);
}

function refuse({ code, detail }: Fault): never {
  throw new EdgepressError(code, detail);
}

/** For new work, once the process is about to end. */
export function refuseWork(c: Context): never {
  c.header('Connection', 'close');
  throw closing();
}

/**
 * For work that has begun to arrive. It says nothing of the connection: one that is closed while data still comes takes the
 * answer along, and those that are left are closed soon enough.
 */
export function refuseTheRest(): never {
  throw closing();
}

function closing(): EdgepressError {
  return new EdgepressError('overloaded', 'The server is shutting down: try again', { retryAfterSeconds: 5 });
}

/** How long what the service depends on may need to come back, as far as anybody can tell. */
const RETRY_AFTER_SECONDS = 10;

/**
 * What a client is told of work that failed. The store, the queue and the CDN may fail at any time: that is no bug, and the same
 * request may succeed later. What they said is for the log.
 *
 * @param detail - public: what could not be done
 * @returns an EdgepressError `overloaded`, or `error` itself where that says what it is or is a bug
 */
export function asDependencyFailure(error: unknown, detail: string): unknown {
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
