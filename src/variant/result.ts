import type { ErrorCode } from '../error.ts';

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
