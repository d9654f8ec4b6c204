import type { Context } from 'hono';
import { EdgepressError } from '../error.ts';

export function refusePath(): never {
  throw new EdgepressError('not_found', 'There is nothing here: images are at /u/{unit}?src=…');
}

/** @param allowed - the methods that there are, as `Allow` lists them */
export function refuseMethod(c: Context, allowed: string): never {
  c.header('Allow', allowed);
  throw new EdgepressError('method_not_allowed', `${c.req.method} is not allowed here; ${allowed} is`);
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
