import { createHmac, hash } from 'node:crypto';
import type { Sha256 } from './protocol/keys.ts';
import type { Hmac } from './protocol/signature.ts';
import { type IgnoredParameters, sourceIdentity } from './protocol/source-identity.ts';

// The hash functions of `src/protocol/`, by Node. The edge function has its own.

export const hmac: Hmac = (keyHex, text) =>
  createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');

export const sha256: Sha256 = (text) => hash('sha256', text);

/** Returns the hash for keys: that of a source is the hash of its identity. Ids of units are no URLs, so they are not affected. */
export function createKeyHash(rules: readonly IgnoredParameters[]): Sha256 {
  return rules.length === 0 ? sha256 : (text) => sha256(sourceIdentity(text, rules));
}

/** Returns the MD5 of bytes in hex: the ETag that S3 gives them. It is not used for security. */
export function md5(bytes: Uint8Array): string {
  return hash('md5', bytes);
}
