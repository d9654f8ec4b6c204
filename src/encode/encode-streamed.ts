import type { PixelSource } from '../decode/decode.ts';
import { decodeError } from '../decode/decode-errors.ts';
import type { InspectedSource } from '../decode/inspect.ts';
import { scaled } from '../decode/size.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import type { EncodedImage, EncodeRequest } from './encoder.ts';
import {
  animatedEncoding,
  contentTypeOf,
  runEncoder,
  toAnimated,
  toEncoding,
  variantSize,
} from './encodings.ts';
import { resizeAndCrop } from './pixels.ts';
import { originalInFormat, type ServableOriginal, smallerOf } from './servable-original.ts';
import { animatedQuality, fastSettings } from './tier-quality.ts';

/**
 * Encodes a streamed source, an animation or a very long still, in one pass and at a fixed quality, whatever the effort: all of its
 * pixels are never in memory together.
 *
 * @param servable - `undefined` if the source has none, or has too many pixels for this variant
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
 */
export async function encodeStreamed(
  pixels: PixelSource,
  { type, facts, frames }: InspectedSource,
  { scale, tier, format }: EncodeRequest & { scale: number },
  servable: ServableOriginal | undefined,
  runWithPermit: RunWithPermit,
): Promise<Omit<EncodedImage, 'effort'>> {
  const size = scaled(facts, scale);
  const kept = frames > 1 ? size : variantSize(size, format);
  const image = resizeAndCrop(await pixels.open(), size, kept);
  const settings = fastSettings(format, tier, { contentClass: 'photo', ...size });
  const animated = animatedEncoding(format);
  const pipeline =
    frames > 1 ? toAnimated(image, animated, animatedQuality(tier)) : toEncoding(image, settings);
  const encoding = frames > 1 ? animated : settings.encoding;
  const { body, info } = await runWithPermit(() =>
    runEncoder(pipeline, encoding).catch((cause: Error) => {
      throw decodeError(type, cause);
    }),
  );
  const { width, pageHeight: height = info.height } = info;
  const encoded = { encoding, body, width, height, score: undefined, isOriginal: false };
  // In `jpeg`, the transparency of a still is flattened on white; GIF keeps that of an animation.
  const isFlattened = frames === 1 && format === 'jpeg' && servable?.hasAlpha === true;
  const original = isFlattened ? undefined : originalInFormat(servable, format);
  const { encoding: smaller, ...rest } = smallerOf(encoded, original);
  return { ...rest, contentType: contentTypeOf(smaller) };
}
