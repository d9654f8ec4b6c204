import type { Fault, Result } from './fault.ts';
import type { ImageRequest } from './request.ts';

/** A secret that signs image URLs. */
export interface SigningKey {
  /** Stands in the URL before the dot: `[A-Za-z0-9_-]{1,64}`. */
  id: string;
  /** At least 16 bytes, in hex. */
  hex: string;
}

/** Item of CloudFront's key value store that holds the signing keys, in the form of `SIGNING_KEYS`. */
export const EDGE_KEYS_ITEM = 'signing-keys';

/** HMAC-SHA256 of a text's UTF-8 bytes, in base64url without padding. Handed in, since each runtime has its own. */
export type Hmac = (keyHex: string, text: string) => string;

/**
 * Checks a request's signature, then its expiry.
 *
 * @param keys - all that are valid now; with none, only unsigned requests pass (a caller that must not allow these
 *   has to refuse before)
 * @param nowSeconds - Unix seconds
 * @returns nothing, or `bad_signature`, or `expired`
 */
export function verifySignature(
  request: ImageRequest,
  keys: readonly SigningKey[],
  hmac: Hmac,
  nowSeconds: number,
): Result<undefined> {
  const complaint = signatureComplaint(request, keys, hmac);
  if (complaint !== undefined) return fault('bad_signature', complaint);
  if (request.expiresAt !== undefined && nowSeconds > request.expiresAt) {
    return fault('expired', 'The URL has expired: ask whoever gave it to you for a new one');
  }
  return { ok: true, value: undefined };
}

function signatureComplaint(
  request: ImageRequest,
  keys: readonly SigningKey[],
  hmac: Hmac,
): string | undefined {
  const signature = request.signature;
  if (keys.length === 0) {
    return signature === undefined
      ? undefined
      : 'The URL is signed, but there are no keys to check it with: leave out `sig`';
  }
  if (signature === undefined) return 'The URL is not signed: `sig` is missing';
  const dot = signature.indexOf('.');
  const key = dot < 0 ? undefined : findKey(keys, signature.slice(0, dot));
  if (key === undefined) return '`sig` does not name a key that is valid now; it is {key id}.{HMAC}';
  return equalInConstantTime(signature.slice(dot + 1), hmac(key.hex, request.signedText))
    ? undefined
    : '`sig` does not match the URL: sign the exact bytes that you send, up to "&sig="';
}

function findKey(keys: readonly SigningKey[], id: string): SigningKey | undefined {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key !== undefined && key.id === id) return key;
  }
  return undefined;
}

/** Takes as long wherever two texts differ, so that the time taken tells nothing about the right one. */
function equalInConstantTime(given: string, right: string): boolean {
  let difference = given.length ^ right.length;
  for (let i = 0; i < right.length; i++) difference |= given.charCodeAt(i) ^ right.charCodeAt(i);
  return difference === 0;
}

function fault(code: Fault['code'], detail: string): Result<never> {
  return { ok: false, fault: { code, detail } };
}

const KEY = /^([A-Za-z0-9_-]{1,64}):((?:[0-9A-Fa-f]{2}){16,})$/;

/** Reads `id:hex`; `undefined` for what is no key. */
export function readSigningKey(text: string): SigningKey | undefined {
  const match = KEY.exec(text.trim());
  return match ? { id: String(match[1]), hex: String(match[2]).toLowerCase() } : undefined;
}

/**
 * Reads `id:hex,id:hex`, and passes over what is no key: at the edge, where nobody would read a complaint, a damaged one is no
 * reason to refuse what is signed with another.
 */
export function readSigningKeys(text: string): readonly SigningKey[] {
  const keys: SigningKey[] = [];
  const items = text.split(',');
  for (let i = 0; i < items.length; i++) {
    const key = readSigningKey(String(items[i]));
    if (key !== undefined) keys.push(key);
  }
  return keys;
}
