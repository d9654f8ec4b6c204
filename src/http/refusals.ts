import type { Context } from 'hono';
import { EdgepressError } from '../error.ts';
import type { Fault } from '../variant/result.ts';
import { loopFault, nothingHere, wrongMethod } from './faults.ts';

export function refusePath(): never {
  refuse(nothingHere());
}

/** @param allowed - the methods that there are, as `Allow` lists them */
export function refuseMethod(c: Context, allowed: string): never {
  c.header('Allow', allowed);
  refuse(wrongMethod(c.req.method, allowed));
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
