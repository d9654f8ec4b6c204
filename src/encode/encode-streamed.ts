import type { PixelSource } from '../decode/decode.ts';
import { DECODE_TIMEOUT_SECONDS, decodeError } from '../decode/decode-errors.ts';
import type { InspectedSource } from '../decode/inspect.ts';
import { scaled } from '../decode/size.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import type { EncodedImage, EncodeRequest } from './encoder.ts';
import { animatedEncoding, contentTypeOf, toAnimated, toEncoding } from './encodings.ts';
import { type OriginalAtSize, originalInFormat, smallerOf } from './servable-original.ts';
import { animatedQuality, fastSettings } from './tier-quality.ts';

/**
 * Encodes a streamed source, an animation or a very long still, in one pass and at a fixed quality, whatever the effort: all of its
 * pixels are never in memory together.
 *
 * @param original - `undefined` if the variant has fewer pixels than the source
 * @throws EdgepressError `source_corrupt`, or `overloaded` after a timeout
 */
export async function encodeStreamed(
  pixels: PixelSource,
  { type, facts, frames }: InspectedSource,
  { scale, tier, format }: EncodeRequest & { scale: number },
  original: OriginalAtSize | undefined,
  runWithPermit: RunWithPermit,
): Promise<Omit<EncodedImage, 'effort'>> {
  const size = scaled(facts, scale);
  const image = (await pixels.open()).resize({ ...size, fit: 'fill' });
  const settings = fastSettings(format, tier, { contentClass: 'photo', ...size });
  const animated = animatedEncoding(format);
  const pipeline =
    frames > 1 ? toAnimated(image, animated, animatedQuality(tier)) : toEncoding(image, settings);
  const { data, info } = await runWithPermit(() =>
    pipeline
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .toBuffer({ resolveWithObject: true })
      .catch((cause: Error) => {
        throw decodeError(type, cause);
      }),
  );
  const encoded = {
    encoding: frames > 1 ? animated : settings.encoding,
    body: data as Buffer<ArrayBuffer>,
    score: undefined,
    isOriginal: false,
  };
  const { encoding, ...rest } = smallerOf(encoded, originalInFormat(original, format));
  const { width, pageHeight: height = info.height } = info;
  return { ...rest, contentType: contentTypeOf(encoding), width, height };
}
