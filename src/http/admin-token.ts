import { hash, timingSafeEqual } from 'node:crypto';
import { EdgepressError } from '../error.ts';

/**
 * Refuses a request that does not carry the token.
 *
 * @param authorization - the header
 * @throws EdgepressError `unauthorized`
 */
export function requireToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) {
    throw new EdgepressError(
      'unauthorized',
      'This needs `Authorization: Bearer` with the token of the operators',
    );
  }
  // Hashed, so that what is compared has one length and takes one time whatever was sent.
  if (!timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'))) {
    throw new EdgepressError('unauthorized', 'The bearer token is not the right one');
  }
}
