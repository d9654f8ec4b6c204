import { EdgepressError } from '../protocol/error.ts';
import type { ImageType } from './image-type.ts';

/** What no honest picture within the limits takes, to decode and to encode, in seconds. */
export const DECODE_TIMEOUT_SECONDS = 60;

/** What it means that sharp gave up on an image, which it was to decode. */
export function decodeFailure(type: ImageType, cause: Error): EdgepressError {
  return isTimeout(cause) ? endless(type, cause) : corrupt(type, cause);
}

/** Whether it is the time that was too short, not the image that is at fault. */
export function isTimeout(cause: Error): boolean {
  return cause.message.startsWith('timeout');
}

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
