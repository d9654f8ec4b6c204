import type { ErrorCode } from './error.ts';

/**
 * What is wrong with a request. The code that also runs at the edge returns faults instead of throwing: the runtime
 * there has no classes to throw.
 */
export interface Fault {
  code: ErrorCode;
  /** Public: says what is wrong, where, and what to do. */
  detail: string;
  /** The request parameter that is to blame. */
  parameter?: string;
}

export type Result<T> = { ok: true; value: T } | { ok: false; fault: Fault };

/** A `bad_request` that names its parameter. */
export function badRequest(parameter: string, detail: string): { ok: false; fault: Fault } {
  return { ok: false, fault: { code: 'bad_request', detail: `\`${parameter}\` ${detail}`, parameter } };
}

// What is refused before an image URL is even read. Uses nothing but the language, so that the edge says the same.

/** For any path where nothing is. */
export function notFoundFault(): Fault {
  return { code: 'not_found', detail: 'There is nothing here: images are at /u/{unit}?src=…' };
}

/** @param allowed - the methods that there are, as `Allow` lists them */
export function methodNotAllowedFault(method: string, allowed: string): Fault {
  return { code: 'method_not_allowed', detail: `${method} is not allowed here; ${allowed} is` };
}

/**
 * Refuses a request that we have sent ourselves, since a source leads back here: it would be followed without end (RFC 8586).
 *
 * @param cdnLoop - the header of that name
 */
export function loopFault(cdnLoop: string | undefined): Fault | undefined {
  const cdns = cdnLoop === undefined ? [] : cdnLoop.split(',');
  for (let i = 0; i < cdns.length; i++) {
    if (String(String(cdns[i]).split(';')[0]).trim().toLowerCase() === 'edgepress') {
      const detail = 'The source of an image leads back to this service: requests go in a circle';
      return { code: 'source_forbidden', detail };
    }
  }
  return undefined;
}
