import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { readSigningKey, type SigningKey } from '../protocol/signature.ts';

const MIN_BYTES = 16;
const ID_RULE = '1 to 64 characters of A-Z a-z 0-9 _ -';

/**
 * Reads a signing key, so that one that the service does not have either is found here and not by a refused URL. Messages never repeat
 * the secret.
 *
 * @param key - the two parts, or text as in `SIGNING_KEYS`: `id:hex`, or a list of these, whose first signs
 * @throws TypeError that says what is wrong with the key
 */
export function readKey(key: SigningKey | string): SigningKey {
  const { id, hex } = typeof key === 'string' ? splitKey(key) : (key ?? {});
  if (typeof id !== 'string' || id === '')
    throw new TypeError('the signing key has no id: `id` is what stands before the colon in SIGNING_KEYS');
  if (typeof hex !== 'string' || hex === '')
    throw new TypeError('the signing key has no `hex`: it is what stands behind the colon in SIGNING_KEYS');
  const read = readSigningKey(`${id}:${hex}`);
  if (read?.id === id) return read;
  throw new TypeError(`the signing key is wrong: ${hexError(hex.trimEnd()) ?? `\`id\` must be ${ID_RULE}`}`);
}

function splitKey(text: string): Partial<SigningKey> {
  const first = text.split(',')[0]?.trim() ?? '';
  const colon = first.indexOf(':');
  if (first === '')
    throw new TypeError('the signing key is empty: give `id:hex`, or leave it out for an unsigned URL');
  if (colon < 0)
    throw new TypeError('the signing key has no id: it must be `id:hex`, as it stands in SIGNING_KEYS');
  return { id: first.slice(0, colon), hex: first.slice(colon + 1) };
}

function hexError(hex: string): string | undefined {
  if (hex.includes(':')) return '`hex` has a colon: it is only what stands behind the colon in SIGNING_KEYS';
  const position = hex.search(/[^0-9A-Fa-f]/);
  if (position >= 0)
    return `\`hex\` may only have the digits 0-9 a-f, and character ${position + 1} is something else`;
  if (hex.length % 2 === 1)
    return `\`hex\` has ${hex.length} digits, an odd number: each byte is two, so one was lost or added`;
  if (hex.length < 2 * MIN_BYTES)
    return `\`hex\` has ${hex.length / 2} bytes; at least ${MIN_BYTES} are needed, which are ${2 * MIN_BYTES} hex digits`;
  return undefined;
}

/**
 * Returns the value of `sig` for a text of ASCII: the id of the key, and HMAC-SHA256 in base64url without padding. It is computed here
 * because Web Crypto is asynchronous, which a builder of URLs cannot be, and missing in React Native and in pages without HTTPS.
 */
export function sign(text: string, { id, hex }: SigningKey): string {
  const keyBytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const textBytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return `${id}.${base64url(hmac(sha256, keyBytes, textBytes))}`;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Not `btoa`: React Native had none for a long time. */
function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(i, i + 3);
    const bits = (first << 16) | (second << 8) | third;
    for (const shift of [18, 12, 6, 0]) text += BASE64URL.charAt((bits >> shift) & 63);
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3));
}
