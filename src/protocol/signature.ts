import type { Fault, Result } from './fault.ts';
import type { ImageRequest } from './request.ts';

/** A secret that signs image URLs. */
export interface SigningKey {
  /** The part of `sig` before the dot: `[A-Za-z0-9_-]{1,64}`. */
  id: string;
  /** At least 16 bytes, in hex. */
  hex: string;
}

/** Item of CloudFront's key value store that holds the signing keys, in the form of `SIGNING_KEYS`. */
export const EDGE_KEYS_ITEM = 'signing-keys';

/** HMAC-SHA256 of a text's UTF-8 bytes, in base64url without padding. Passed in, since each runtime has its own. */
export type Hmac = (keyHex: string, text: string) => string;

/**
 * Checks a request's signature, then its expiry.
 *
 * @param keys - the valid keys. Without any, only unsigned requests pass: a caller that must not serve them has to check first
 * @param nowSeconds - Unix seconds
 * @returns nothing, or `bad_signature`, or `expired`
 */
export function verifySignature(
  request: ImageRequest,
  keys: readonly SigningKey[],
  hmac: Hmac,
  nowSeconds: number,
): Result<undefined> {
  const error = signatureError(request, keys, hmac);
  if (error !== undefined) return fault('bad_signature', error);
  if (isExpired(request.expiresAt, nowSeconds)) {
    return fault('expired', 'The URL has expired: ask for a new one where you got it');
  }
  return { ok: true, value: undefined };
}

/** Whether a URL with this time of expiry, in Unix seconds, is no longer valid. */
export function isExpired(expiresAt: number | undefined, nowSeconds: number): boolean {
  return expiresAt !== undefined && nowSeconds > expiresAt;
}

/** Returns what is wrong with the signature, or `undefined`. */
function signatureError(request: ImageRequest, keys: readonly SigningKey[], hmac: Hmac): string | undefined {
  const signature = request.signature;
  if (keys.length === 0) {
    return signature === undefined
      ? undefined
      : 'The URL is signed, but no signing keys are configured: leave out `sig`';
  }
  if (signature === undefined) return 'The URL is not signed: `sig` is missing';
  const dot = signature.indexOf('.');
  const key = dot < 0 ? undefined : findKey(keys, signature.slice(0, dot));
  if (key === undefined) return '`sig` does not name a key that is valid now; it is {key id}.{HMAC}';
  return signs(signature.slice(dot + 1), key, request.signedText, hmac) ? undefined : SIGNATURE_MISMATCH;
}

export const SIGNATURE_MISMATCH =
  '`sig` does not match the URL: sign the exact bytes that you send, up to "&sig="';

/**
 * The characters of a query that URL parsers percent-encode (WHATWG URL, special-query percent-encode set), encoded: a browser sends what
 * was signed with `'` as `%27`. Encoders that leave the apostrophe encode the others, hence the two sets.
 */
const REWRITTEN = [/%27/g, /%2[027]|%3[CE]/g];

/** Whether the HMAC is of the text, or of what a URL parser may have made this text from. */
function signs(mac: string, key: SigningKey, text: string, hmac: Hmac): boolean {
  if (equalInConstantTime(mac, hmac(key.hex, text))) return true;
  for (let i = 0; i < REWRITTEN.length; i++) {
    const raw = text.replace(REWRITTEN[i] as RegExp, (encoded) => decodeURIComponent(encoded));
    if (raw !== text && equalInConstantTime(mac, hmac(key.hex, raw))) return true;
  }
  return false;
}

function findKey(keys: readonly SigningKey[], id: string): SigningKey | undefined {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (key !== undefined && key.id === id) return key;
  }
  return undefined;
}

/** Takes the same time wherever two texts differ, so that the time does not help to guess the expected one. */
function equalInConstantTime(actual: string, expected: string): boolean {
  let difference = actual.length ^ expected.length;
  for (let i = 0; i < expected.length; i++) difference |= actual.charCodeAt(i) ^ expected.charCodeAt(i);
  return difference === 0;
}

function fault(code: Fault['code'], detail: string): Result<never> {
  return { ok: false, fault: { code, detail } };
}

const KEY = /^([A-Za-z0-9_-]{1,64}):((?:[0-9A-Fa-f]{2}){16,})$/;

/** Parses `id:hex`; returns `undefined` for anything else. */
export function readSigningKey(text: string): SigningKey | undefined {
  const match = KEY.exec(text.trim());
  return match ? { id: String(match[1]), hex: String(match[2]).toLowerCase() } : undefined;
}

/** Parses `id:hex,id:hex` for the edge. It skips damaged entries, so that URLs signed with the other keys still work. */
export function readSigningKeys(text: string): readonly SigningKey[] {
  const keys: SigningKey[] = [];
  const items = text.split(',');
  for (let i = 0; i < items.length; i++) {
    const key = readSigningKey(String(items[i]));
    if (key !== undefined) keys.push(key);
  }
  return keys;
}
