import { EdgepressError } from '../error.ts';
import type { ImageType } from './image-type.ts';

/** What no honest picture within the limits takes, to decode and to encode, in seconds. */
export const DECODE_TIMEOUT_SECONDS = 60;

/** What it means that a decoder gave up on an image. */
export function corrupt(type: ImageType, cause: unknown): EdgepressError {
  return new EdgepressError('source_corrupt', `The ${type} image is truncated or damaged`, { cause });
}

/**
 * What it means that it did not come to an end: nothing that could be held against the source, since another variant of it,
 * or the same on a machine with less to do, may well be made.
 */
export function endless(type: ImageType, cause?: unknown): EdgepressError {
  const detail = `It took more than ${DECODE_TIMEOUT_SECONDS} seconds to make this of the ${type} image: try again later`;
  return new EdgepressError('overloaded', detail, {
    cause,
    retryable: true,
    retryAfterSeconds: DECODE_TIMEOUT_SECONDS,
  });
}
