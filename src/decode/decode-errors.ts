import { EdgepressError } from '../protocol/error.ts';
import type { ImageType } from './image-type.ts';
import { otherFileType } from './other-file-types.ts';

/** What is decoded, as people call it. */
const SUPPORTED =
  'JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF, BMP, ICO, PDF, JPEG XL, JPEG 2000, PSD, previews of camera RAW';

/** The timeout of one decode or encode, in seconds: longer than any legitimate image within the limits takes. */
export const DECODE_TIMEOUT_SECONDS = 60;

/** Returns the error for an image that sharp failed on: `overloaded` after a timeout, else `source_corrupt`. */
export function decodeError(type: ImageType, cause: Error): EdgepressError {
  return isTimeout(cause) ? timeoutError(type, cause) : corruptError(type, cause);
}

/** Whether sharp ran into its timeout, which says nothing against the image. */
export function isTimeout(cause: Error): boolean {
  return cause.message.startsWith('timeout');
}

/** Returns the `source_corrupt` error for an image that a decoder rejected. */
export function corruptError(type: ImageType, cause: unknown): EdgepressError {
  return new EdgepressError('source_corrupt', `The ${type} image is truncated or damaged`, { cause });
}

/**
 * Returns the error for a decode or encode that timed out. It is `overloaded` and retryable rather than an error of the source: another
 * variant of it, or the same variant on a machine with less load, may well succeed.
 */
export function timeoutError(type: ImageType, cause?: unknown): EdgepressError {
  const detail = `Processing the ${type} image took more than ${DECODE_TIMEOUT_SECONDS} seconds: try again later`;
  return new EdgepressError('overloaded', detail, {
    cause,
    retryable: true,
    retryAfterSeconds: DECODE_TIMEOUT_SECONDS,
  });
}

/**
 * Returns the `source_not_image` error for bytes of an unknown type. It says what they are where that is known: "not an image" alone
 * sends people looking in the wrong place.
 */
export function notAnImageError(bytes: Uint8Array): EdgepressError {
  return new EdgepressError('source_not_image', explainNotAnImage(bytes));
}

function explainNotAnImage(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return 'The source is empty';
  const other = otherFileType(bytes);
  return other
    ? `The source is ${other}, not an image of a supported type`
    : `The source is not an image of a supported type (${SUPPORTED})`;
}
