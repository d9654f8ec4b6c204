import type { Picture } from './decode.ts';
import { DECODE_TIMEOUT_SECONDS, decodeFailure } from './decode-failure.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import { type OriginalAtSize, servableInFormat, smaller } from './encode-still.ts';
import type { EncodedImage, EncodeRequest } from './encoder.ts';
import { animatedEncoding, toAnimated, toEncoding } from './encodings.ts';
import { CONTENT_TYPES } from './image-type.ts';
import type { InspectedSource } from './inspect.ts';
import { scaled } from './pixels.ts';
import { animatedQuality, fastSetting } from './tier-quality.ts';

/**
 * Encodes what is decoded each time, an animation or a very long still, in one go and at one quality, whatever the effort: its
 * pixels never are in memory all together.
 *
 * @throws EdgepressError `source_corrupt`, or `overloaded` when it takes too long
 */
export async function encodeUndecoded(
  picture: Picture,
  { type, facts, frames }: InspectedSource,
  { scale, tier, format }: EncodeRequest & { scale: number },
  source: OriginalAtSize | undefined,
  runWithPermit: RunWithPermit,
): Promise<Omit<EncodedImage, 'effort'>> {
  const image = (await picture.open()).resize({ ...scaled(facts, scale), fit: 'fill' });
  const setting = fastSetting(format, tier, { contentClass: 'photo', ...scaled(facts, scale) });
  const moving = animatedEncoding(format);
  const encoded = frames > 1 ? toAnimated(image, moving, animatedQuality(tier)) : toEncoding(image, setting);
  const { data, info } = await runWithPermit(() =>
    encoded
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .toBuffer({ resolveWithObject: true })
      .catch((cause: Error) => {
        throw decodeFailure(type, cause);
      }),
  );
  const made = {
    encoding: frames > 1 ? moving : setting.encoding,
    body: data as Buffer<ArrayBuffer>,
    score: undefined,
    isSource: false,
  };
  const { encoding, ...rest } = smaller(made, servableInFormat(source, format));
  const { width, pageHeight: height = info.height } = info;
  return { ...rest, contentType: CONTENT_TYPES[encoding], width, height };
}
