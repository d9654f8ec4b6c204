import { EdgepressError } from '../error.ts';
import type { Variant } from '../variant/get-variant.ts';
import { OPEN_HEADERS } from './open-headers.ts';

/**
 * What is different where a CDN asks that looks in the store first, and comes here for what it does not find: the function on
 * Lambda. All that it gets here is a copy without the tag by which it could be told to forget it (whether that header reaches
 * it is not known), so it is to fetch the stored object soon: its copy lives for a minute, and has nothing to be confirmed by.
 */
export interface CdnOrigin {
  /** The longest body that an answer can carry. */
  maxBodyBytes: number;
  /** A URL under which anybody can have a stored object for the next few minutes. */
  presign(key: string): Promise<string>;
}

/**
 * Sends whoever asks for a variant that is too large for an answer to the store.
 *
 * @throws EdgepressError `overloaded` when it is not there
 */
export async function redirectToStore({ key, origin }: Variant, cdnOrigin: CdnOrigin): Promise<Response> {
  if (origin === 'made but not stored') {
    const detail =
      'The image is too large to be sent without being stored, and could not be stored: try again';
    throw new EdgepressError('overloaded', detail, { retryable: true, retryAfterSeconds: 5 });
  }
  return new Response(null, {
    status: 302,
    headers: { ...OPEN_HEADERS, Location: await cdnOrigin.presign(key), 'Cache-Control': 'no-store' },
  });
}
