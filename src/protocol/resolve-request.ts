import type { Result } from './fault.ts';
import { type Sha256, type VariantAddress, type VariantName, variantAddress } from './keys.ts';
import { type ClientHints, type Ladder, negotiate } from './negotiation.ts';
import type { ImageRequest } from './request.ts';
import { type Hmac, type SigningKey, verifySignature } from './signature.ts';

/** What decides which variant a request gets. */
export interface RequestRules {
  /** The valid keys; see `verifySignature` for none. */
  signingKeys: readonly SigningKey[];
  ladder: Ladder;
  hmac: Hmac;
  sha256: Sha256;
}

/** The variant that a request asks for. */
export interface ResolvedRequest {
  name: VariantName;
  address: VariantAddress;
  /** The request headers that were consulted, for `Vary`. */
  vary: readonly string[];
  /** Unix seconds; `undefined` if the URL does not expire. */
  expiresAt: number | undefined;
}

/**
 * Finds the variant for a request: verifies its signature, negotiates, and makes the key. The server and the edge both run this, so
 * that they agree.
 *
 * @param nowSeconds - Unix seconds
 * @returns the variant, or `bad_signature` or `expired`
 */
export function resolveRequest(
  request: ImageRequest,
  hints: ClientHints,
  rules: RequestRules,
  nowSeconds: number,
): Result<ResolvedRequest> {
  const verified = verifySignature(request, rules.signingKeys, rules.hmac, nowSeconds);
  if (!verified.ok) return verified;
  const spec = negotiate(request, hints, rules.ladder);
  const name: VariantName = {
    unit: request.unit,
    src: request.src,
    width: spec.width,
    tier: spec.tier,
    format: spec.format,
  };
  const address = variantAddress(name, rules.sha256);
  return { ok: true, value: { name, address, vary: spec.vary, expiresAt: request.expiresAt } };
}
