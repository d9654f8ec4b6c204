import { EdgepressError } from '../protocol/error.ts';
import type { ImageType } from './image-type.ts';
import { otherFileType } from './other-file-types.ts';

/** What is decoded, as people call it. */
const SUPPORTED =
  'JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF, BMP, ICO, PDF, JPEG XL, JPEG 2000, PSD, previews of camera RAW';

/** The timeout of one decode or encode, in seconds: longer than any legitimate image within the limits takes. */
export const DECODE_TIMEOUT_SECONDS = 60;

/** A decode or an encode whose process has taken less CPU time than this share of its timeout was held up by other work. */
const MIN_CPU_SHARE = 0.5;

/**
 * Runs sharp on an image. A timeout is `source_too_large` if the process has worked for most of it: the image is to blame, and would be
 * again. Otherwise the machine is, and it is `overloaded`.
 *
 * @param run - ends with sharp's timeout after {@link DECODE_TIMEOUT_SECONDS}
 * @throws EdgepressError `source_corrupt` where sharp fails for another reason
 */
export async function withDecodeErrors<T>(type: ImageType, run: () => Promise<T>): Promise<T> {
  const started = process.cpuUsage();
  try {
    return await run();
  } catch (cause) {
    throw isTimeout(cause as Error) ? stoppedError(type, started, cause) : corruptError(type, cause);
  }
}

/**
 * Returns the error for sharp's timeout.
 *
 * @param since - the CPU time that the process had taken when sharp started
 */
export function stoppedError(type: ImageType, since: NodeJS.CpuUsage, cause: unknown): EdgepressError {
  const isBusy = cpuSeconds(since) >= MIN_CPU_SHARE * DECODE_TIMEOUT_SECONDS;
  return isBusy ? slowError(type, DECODE_TIMEOUT_SECONDS, cause) : timeoutError(type, cause);
}

/** Returns the CPU time that this process has taken since then, in seconds. */
export function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** Returns the `source_too_large` error for an image that takes too much CPU time. */
export function slowError(type: ImageType, seconds: number, cause?: unknown): EdgepressError {
  const detail = `The ${type} image takes more than ${seconds} seconds to decode or encode`;
  return new EdgepressError('source_too_large', detail, { cause });
}

/** Whether sharp ran into its timeout. */
export function isTimeout(cause: Error): boolean {
  return cause.message.startsWith('timeout');
}

/** Of libvips, and of Node's buffers. */
const OUT_OF_MEMORY = /out of memory|Array buffer allocation failed/i;

/** Whether this process got no memory: nothing is known of the image then. */
export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return OUT_OF_MEMORY.test(error.message) || isOutOfMemory(error.cause);
}

/** Returns the `overloaded` error for an image that this process got no memory for. */
export function memoryError(type: ImageType, cause: unknown): EdgepressError {
  const detail = `There is too little memory for the ${type} image just now: try again later`;
  return new EdgepressError('overloaded', detail, {
    cause,
    retryable: true,
    retryAfterSeconds: DECODE_TIMEOUT_SECONDS,
  });
}

/** Returns the `source_corrupt` error for an image that a decoder rejected, unless it was for a lack of memory. */
export function corruptError(type: ImageType, cause: unknown): EdgepressError {
  if (isOutOfMemory(cause)) return memoryError(type, cause);
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
