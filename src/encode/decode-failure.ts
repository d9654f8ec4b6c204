import { EdgepressError } from '../error.ts';
import type { ImageType } from './image-type.ts';

/** What no honest picture within the limits takes, to decode and to encode, in seconds. */
export const DECODE_TIMEOUT_SECONDS = 60;

/** What it means that a decoder gave up on an image. */
export function corrupt(type: ImageType, cause: unknown): EdgepressError {
  return new EdgepressError('source_corrupt', `The ${type} image is truncated or damaged`, { cause });
}

/** What it means that it did not come to an end. */
export function endless(type: ImageType, cause?: unknown): EdgepressError {
  const detail = `The ${type} image takes more than ${DECODE_TIMEOUT_SECONDS} seconds to decode`;
  return new EdgepressError('source_too_large', detail, { cause });
}
