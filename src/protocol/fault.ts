import type { ErrorCode } from './error.ts';

/**
 * What is wrong with a request. The code that also runs at the edge returns faults instead of throwing `EdgepressError`, since the
 * runtime there has no classes: that is why this is not in `error.ts`.
 */
export interface Fault {
  code: ErrorCode;
  /** Public: says what is wrong, where, and what to do. */
  detail: string;
  /** The request parameter that is wrong. */
  parameter?: string;
}

export type Result<T> = { ok: true; value: T } | { ok: false; fault: Fault };

/**
 * Returns a `bad_request` that names its parameter.
 *
 * @param detail - the end of a sentence whose subject is the parameter
 */
export function badRequest(parameter: string, detail: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code: 'bad_request', detail: `\`${parameter}\` ${detail}`, parameter } };
}

// The refusals that do not depend on an image URL. The server and the edge share them.

/** Returns the fault for a path without a route. */
export function notFoundFault(): Fault {
  return { code: 'not_found', detail: 'There is nothing here: images are at /u/{unit}?src=…' };
}

/**
 * Returns the fault for a method that a route does not have.
 *
 * @param allowed - the methods it has, in the form of the `Allow` header: `GET, HEAD`
 */
export function methodNotAllowedFault(method: string, allowed: string): Fault {
  const comma = allowed.lastIndexOf(', ');
  const methods = comma < 0 ? allowed : `${allowed.slice(0, comma)} or ${allowed.slice(comma + 2)}`;
  return { code: 'method_not_allowed', detail: `${method} is not allowed here; use ${methods}` };
}

/**
 * Refuses a request that this service sent itself, because the URL of a source leads back to it: following it would never end
 * (RFC 8586).
 *
 * @param cdnLoop - value of the `CDN-Loop` header
 * @returns the fault, or `undefined` for a request from anyone else
 */
export function loopFault(cdnLoop: string | undefined): Fault | undefined {
  const cdns = cdnLoop === undefined ? [] : cdnLoop.split(',');
  for (let i = 0; i < cdns.length; i++) {
    if (String(String(cdns[i]).split(';')[0]).trim().toLowerCase() === 'edgepress') {
      const detail = 'The source of the image leads back to this service: the request would loop';
      return { code: 'source_forbidden', detail };
    }
  }
  return undefined;
}
