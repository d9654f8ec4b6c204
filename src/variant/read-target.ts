import { LRUCache } from 'lru-cache';
import { EdgepressError } from '../protocol/error.ts';
import { badRequest, type Result } from '../protocol/fault.ts';
import { parseVariantKey, type Sha256, type VariantName, variantAddress } from '../protocol/keys.ts';
import { type ClientHints, type Ladder, rungFor, varyOf } from '../protocol/negotiation.ts';
import { type ImageRequest, parseRequest } from '../protocol/request.ts';
import { type RequestRules, type ResolvedRequest, resolveRequest } from '../protocol/resolve-request.ts';
import { isExpired } from '../protocol/signature.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import { explainSignature } from './explain-signature.ts';
import type { Trace } from './trace.ts';

/**
 * Returns the variant that a request is for, with its keys in the store.
 *
 * @param target - the raw request target: path and query exactly as sent
 * @throws EdgepressError `bad_request`, `bad_signature` or `expired`, in this order
 */
export type ReadTarget = (target: string, hints: ClientHints, trace: Trace) => ResolvedRequest;

/**
 * Returns the reader for requests as viewers send them: `/u/{unit}?src=…`. It verifies their signature and expiry.
 *
 * @param nowMs - Unix milliseconds
 */
export function createReadTarget(rules: RequestRules, nowMs: () => number): ReadTarget {
  const accepted = new LRUCache<string, AcceptedRequest>({ maxSize: MAX_ACCEPTED_BYTES });
  return (target, hints, trace) => {
    const nowSeconds = Math.floor(nowMs() / 1000);
    // None of the three can have a line break.
    const text = `${target}\n${hints.accept}\n${hints.saveData}`;
    const known = accepted.get(text);
    if (known && !isExpired(known.resolved.expiresAt, nowSeconds)) {
      addToTrace(trace, known.resolved.name.unit, known.host);
      return known.resolved;
    }
    const request = orThrow(parseRequest(target));
    const host = sourceHost(request.src);
    addToTrace(trace, request.unit, host);
    const resolved = resolveRequest(request, hints, rules, nowSeconds);
    if (!resolved.ok && resolved.fault.code === 'bad_signature') {
      const reason = explainSignature(request, rules.signingKeys, rules.hmac, hints.host);
      throw new EdgepressError('bad_signature', reason ?? resolved.fault.detail);
    }
    const value = orThrow(resolved);
    accepted.set(text, { resolved: value, host }, { size: text.length + ENTRY_OVERHEAD });
    return value;
  };
}

/** A request that was accepted, so that the next one like it needs no parsing, no HMAC and no hashes. */
interface AcceptedRequest {
  resolved: ResolvedRequest;
  /** Of the source. */
  host: string;
}

/** Some seven thousand requests. */
const MAX_ACCEPTED_BYTES = 8_000_000;
/** What an entry takes beside its text. */
const ENTRY_OVERHEAD = 1000;

/** Returns the reader for requests that the edge has verified and forwards: `/{key}?r={original target}`. */
export function createReadForwardedTarget(rules: Pick<RequestRules, 'ladder' | 'sha256'>): ReadTarget {
  return (target, _hints, trace) => {
    const forwarded = orThrow(parseForwarded(target));
    const { unit, src } = forwarded.request;
    addToTrace(trace, unit, sourceHost(src));
    return orThrow(resolveForwarded(forwarded, rules.ladder, rules.sha256));
  };
}

function addToTrace(trace: Trace, unit: string, host: string): void {
  trace.unit = unit;
  trace.sourceHost = host;
}

function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, detail, parameter } = result.fault;
  throw new EdgepressError(code, detail, parameter === undefined ? {} : { parameter });
}

/**
 * A request that the edge has verified. Its path is the key of the variant, so that the store can answer it as it stands; its one
 * parameter is the original target in base64url, so that a variant that is not stored can be made.
 */
interface ForwardedRequest {
  /** The key of the variant. */
  key: string;
  /** The request as the viewer sent it. */
  request: ImageRequest;
}

/**
 * Parses `/{key}?r={base64url of the original path and query}`.
 *
 * @returns the request, or a `bad_request` if it does not come from the edge
 */
function parseForwarded(target: string): Result<ForwardedRequest> {
  const [, key, encoded] = /^\/([^?]+)\?r=([A-Za-z0-9_-]+)$/.exec(target) ?? [];
  if (key === undefined || encoded === undefined)
    return badRequest('r', 'must be the only parameter: the original request target, in base64url');
  const parsed = parseRequest(Buffer.from(encoded, 'base64url').toString('latin1'));
  return parsed.ok ? { ok: true, value: { key, request: parsed.value } } : parsed;
}

/**
 * Finds the variant for a forwarded request. Width, tier and format come from the key, where the edge has put what it negotiated; the
 * source comes from the original request. Signature and expiry are not checked again: nobody but the edge can send this.
 *
 * @returns the variant, or a `bad_request` if the original request cannot lead to this key
 */
function resolveForwarded(
  { key, request }: ForwardedRequest,
  ladder: Ladder,
  sha256: Sha256,
): Result<ResolvedRequest> {
  const spec = parseVariantKey(key);
  if (!spec || !ladder.widths.includes(spec.width))
    return badRequest('r', 'needs the key of a variant as the path');
  const name: VariantName = { unit: request.unit, src: request.src, ...spec };
  const address = variantAddress(name, sha256);
  const { width, tier, format } = request;
  const agrees =
    address.key === key &&
    (width === undefined || rungFor(width, ladder.widths) === spec.width) &&
    (tier === undefined || tier === spec.tier) &&
    (format === undefined || format === spec.format);
  if (!agrees) return badRequest('r', 'asks for another variant than the key in the path');
  return { ok: true, value: { name, address, vary: varyOf(request), expiresAt: request.expiresAt } };
}
