import type { Sharp } from 'sharp';
import { isLosslessAnimation } from '../decode/containers/chunks.ts';
import type { PixelSource } from '../decode/decode.ts';
import { withDecodeErrors } from '../decode/decode-errors.ts';
import type { InspectedSource } from '../decode/inspect.ts';
import { scaled } from '../decode/size.ts';
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
 * pixels are never in memory together.
 *
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
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
    ? await run(toAnimated(image, animated, animatedQuality(tier)), animated)
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

/**
 * Whether an animation was compressed without loss. Most of these are drawn in few colours, and resizing gives them many: at their own size
 * they may need half of the bytes.
 */
function isDrawnAnimation({ type, bytes }: InspectedSource): boolean {
  return type === 'gif' || type === 'apng' || (type === 'webp' && isLosslessAnimation(bytes));
}
