import type { Sharp } from 'sharp';
import { isLosslessAnimation } from '../decode/containers/chunks.ts';
import type { PixelSource } from '../decode/decode.ts';
import { withDecodeErrors } from '../decode/decode-errors.ts';
import type { InspectedSource } from '../decode/inspect.ts';
import { type Size, scaled } from '../decode/size.ts';
import { EdgepressError } from '../protocol/error.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import type { StillSource } from './encode-still.ts';
import type { EncodedImage, EncodeRequest } from './encoder.ts';
import {
  animatedEncoding,
  contentTypeOf,
  type Encoding,
  runEncoder,
  toAnimated,
  toEncoding,
  variantSize,
} from './encodings.ts';
import { resizeAndCrop } from './pixels.ts';
import { type EncodedBody, originalInFormat, smallerOf } from './servable-original.ts';
import { animatedQuality, fastSettings } from './tier-quality.ts';

/**
 * Encodes a streamed source, an animation or a very long still, in one pass and at a fixed quality, whatever the effort: all of its
 * pixels are never in memory together. An animation has at most the bytes of its original, or 4 MiB: its size is reduced where it would have
 * more.
 *
 * @throws EdgepressError `source_corrupt`, `source_too_large` for too many bytes or too much CPU time, or `overloaded` after a timeout
 */
export async function encodeStreamed(
  pixels: PixelSource,
  source: InspectedSource,
  { scale, tier, format }: EncodeRequest & { scale: number },
  { servable, isNear }: Pick<StillSource, 'servable' | 'isNear'>,
  runWithPermit: RunWithPermit,
): Promise<Omit<EncodedImage, 'effort'>> {
  const { facts, frames, type } = source;
  const size = scaled(facts, scale);
  const isAnimated = frames > 1;
  const image = resizeAndCrop(await pixels.open(), size, isAnimated ? size : variantSize(size, format));
  const run = async (pipeline: Sharp, encoding: Encoding): Promise<EncodedBody> => {
    const { body, info } = await runWithPermit(() =>
      withDecodeErrors(type, () => runEncoder(pipeline, encoding)),
    );
    const { width, pageHeight: height = info.height } = info;
    return { encoding, body, width, height, score: undefined, isOriginal: false };
  };
  const settings = fastSettings(format, tier, { contentClass: 'photo', ...size });
  const animated = animatedEncoding(format);
  const encoded = isAnimated
    ? await withinBytes(maxAnimationBytes(facts.bytes), size, async (smaller) => {
        const frame = smaller === size ? image : resizeAndCrop(await pixels.open(), smaller, smaller);
        return await run(toAnimated(frame, animated, animatedQuality(tier)), animated);
      })
    : await run(toEncoding(image, settings), settings.encoding);
  // In `jpeg`, the transparency of a still is flattened on white; GIF keeps that of an animation.
  const isFlattened = !isAnimated && format === 'jpeg' && servable?.hasAlpha === true;
  const original = isFlattened ? undefined : originalInFormat(servable, format);
  const triesOwnSize =
    isAnimated &&
    isNear &&
    isDrawnAnimation(source) &&
    original?.encoding !== animated &&
    (scale < 1 || animated === 'webp');
  const ownSize = triesOwnSize
    ? await run(toAnimated(await pixels.open(), animated, 'lossless'), animated)
    : undefined;
  const lossless = ownSize && (animated === 'webp' ? { ...ownSize, score: 100 } : ownSize);
  const { encoding, ...rest } = smallerOf(smallerOf(encoded, lossless), original);
  return { ...rest, contentType: contentTypeOf(encoding) };
}

/** An animation may always have so many bytes: a dozen photographs as AVIF. */
const MIN_ANIMATION_LIMIT = 4 * 2 ** 20;
/** Bytes fall a little more slowly than pixels do. */
const SHRINK_MARGIN = 0.85;
const MAX_ATTEMPTS = 4;

/**
 * Returns the most bytes that an encoded animation may have: no more than its original, unless that is small. GIF takes up to seven times the
 * bytes of the same animation as WebP.
 */
function maxAnimationBytes(sourceBytes: number): number {
  return Math.max(MIN_ANIMATION_LIMIT, sourceBytes);
}

/**
 * Encodes an animation at this size, and smaller until it has no more bytes than the limit: who pays for each byte sees it smaller rather than not
 * at all.
 *
 * @throws EdgepressError `source_too_large` if it does not get small enough
 */
async function withinBytes(
  maxBytes: number,
  size: Size,
  encode: (size: Size) => Promise<EncodedBody>,
): Promise<EncodedBody> {
  let tried = size;
  for (let attempt = 1; ; attempt++) {
    const encoded = await encode(tried);
    const bytes = encoded.body.byteLength;
    if (bytes <= maxBytes) return encoded;
    if (attempt === MAX_ATTEMPTS)
      throw new EdgepressError(
        'source_too_large',
        `The animation has ${bytes} bytes as ${encoded.encoding} even at ${tried.width}×${tried.height} pixels; at most ${maxBytes} are sent`,
      );
    tried = scaled(tried, Math.sqrt((SHRINK_MARGIN * maxBytes) / bytes));
  }
}

/**
 * Whether an animation was compressed without loss. Most of these are drawn in few colours, and resizing gives them many: at their own size
 * they may need half of the bytes.
 */
function isDrawnAnimation({ type, bytes }: InspectedSource): boolean {
  return type === 'gif' || type === 'apng' || (type === 'webp' && isLosslessAnimation(bytes));
}
