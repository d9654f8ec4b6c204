import { hash, timingSafeEqual } from 'node:crypto';
import { EdgepressError } from '../protocol/error.ts';

/**
 * Requires the bearer token of operators. Not Hono's `bearer-auth`, which answers 400 to a malformed header and compares tokens in time
 * that depends on their length.
 *
 * @param authorization - the header
 * @throws EdgepressError `unauthorized`
 */
export function requireToken(authorization: string | undefined, token: string): void {
  const sent = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
  if (sent === undefined) {
    throw new EdgepressError('unauthorized', 'This route needs `Authorization: Bearer` with the admin token');
  }
  if (!isAdminToken(sent, token)) throw new EdgepressError('unauthorized', 'The bearer token is wrong');
}

/** Returns whether what was sent is the admin token. */
export function isAdminToken(sent: string, token: string): boolean {
  // Hashes have the same length, so that the time of the comparison says nothing about the token.
  return timingSafeEqual(hash('sha256', sent, 'buffer'), hash('sha256', token, 'buffer'));
}
