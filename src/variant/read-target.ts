import { EdgepressError } from '../protocol/error.ts';
import { badRequest, type Result } from '../protocol/fault.ts';
import { parseVariantKey, type Sha256, type VariantName, variantAddress } from '../protocol/keys.ts';
import { type ClientHints, type Ladder, rungFor, varyOf } from '../protocol/negotiation.ts';
import { type ImageRequest, parseRequest } from '../protocol/request.ts';
import { type RequestRules, type ResolvedRequest, resolveRequest } from '../protocol/resolve-request.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
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

/*
 * What the edge makes of a request that it has verified: the key of the variant as the path, and the target that it was sent as,
 * in base64url, as the one parameter. So the store can answer it as it stands, and what the store does not have can be made.
 */

export interface ForwardedRequest {
  /** The key of the variant. */
  key: string;
  /** What the viewer sent. */
  request: ImageRequest;
}

/**
 * Reads what the edge forwards: `/{key}?r={base64url of the original path and query}`.
 *
 * @returns the request, or a `bad_request`: then it does not come from the edge
 */
export function parseForwarded(target: string): Result<ForwardedRequest> {
  const [, key, encoded] = /^\/([^?]+)\?r=([A-Za-z0-9_-]+)$/.exec(target) ?? [];
  if (key === undefined || encoded === undefined)
    return badRequest('r', 'must be the only parameter: the request as it was sent, in base64url');
  const parsed = parseRequest(Buffer.from(encoded, 'base64url').toString('latin1'));
  return parsed.ok ? { ok: true, value: { key, request: parsed.value } } : parsed;
}

/**
 * Takes width, tier and format from the key, where the edge has put what it chose, and the source from the request. Neither
 * signature nor expiry are looked at again: nobody but the edge can send this.
 *
 * @returns the variant, or a `bad_request` when the key is not one that this request can lead to
 */
export function resolveForwarded(
  { key, request }: ForwardedRequest,
  ladder: Ladder,
  sha256: Sha256,
): Result<ResolvedRequest> {
  const choice = parseVariantKey(key);
  if (!choice || !ladder.widths.includes(choice.width))
    return badRequest('r', 'comes with no key of a variant');
  const name: VariantName = { unit: request.unit, src: request.src, ...choice };
  const address = variantAddress(name, sha256);
  const { width, tier, format } = request;
  const agrees =
    address.key === key &&
    (width === undefined || rungFor(width, ladder.widths) === choice.width) &&
    (tier === undefined || tier === choice.tier) &&
    (format === undefined || format === choice.format);
  if (!agrees) return badRequest('r', 'asks for something else than the key in the path');
  return { ok: true, value: { name, address, vary: varyOf(request) } };
}
