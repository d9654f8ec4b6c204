import { EdgepressError } from '../error.ts';
import { parseForwarded, resolveForwarded } from './forwarded-request.ts';
import type { ClientHints } from './negotiate.ts';
import { type ImageRequest, parseRequest } from './request.ts';
import { type RequestRules, type ResolvedRequest, resolveRequest } from './resolve-request.ts';
import type { Result } from './result.ts';
import { sourceHost } from './src-parameter.ts';
import type { Trace } from './trace.ts';

/**
 * Reads from a raw request target which variant it is for: path and query exactly as they were sent.
 *
 * @throws EdgepressError `bad_request`, `bad_signature` or `expired`, in this order
 */
export type ReadTarget = (target: string, hints: ClientHints, trace: Trace) => ResolvedRequest;

/**
 * For requests as viewers send them.
 *
 * @param nowMs - Unix milliseconds
 */
export function createReadTarget(rules: RequestRules, nowMs: () => number): ReadTarget {
  return (target, hints, trace) => {
    const request = orThrow(parseRequest(target));
    note(request, trace);
    return orThrow(resolveRequest(request, hints, rules, Math.floor(nowMs() / 1000)));
  };
}

/** For requests that the edge has verified and forwards; see `forwarded-request.ts`. */
export function createReadForwardedTarget({
  ladder,
  sha256,
}: Pick<RequestRules, 'ladder' | 'sha256'>): ReadTarget {
  return (target, _hints, trace) => {
    const forwarded = orThrow(parseForwarded(target));
    note(forwarded.request, trace);
    return orThrow(resolveForwarded(forwarded, ladder, sha256));
  };
}

function note({ unit, src }: ImageRequest, trace: Trace): void {
  trace.unit = unit;
  trace.sourceHost = sourceHost(src);
}

function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, detail, parameter } = result.fault;
  throw new EdgepressError(code, detail, parameter === undefined ? {} : { parameter });
}
