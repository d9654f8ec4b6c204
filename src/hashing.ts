import { createHmac, hash } from 'node:crypto';
import type { Sha256 } from './protocol/keys.ts';
import type { Hmac } from './protocol/signature.ts';

/** Node's hashing, for the code that is handed it. */
export const hmac: Hmac = (keyHex, text) =>
  createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');

export const sha256: Sha256 = (text) => hash('sha256', text);

/** In hex. What S3 names an object's bytes by, not a safeguard. */
export function md5(bytes: Uint8Array): string {
  return hash('md5', bytes);
}
