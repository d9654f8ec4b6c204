import sharp from 'sharp';
import type { Tier } from '../variant/request.ts';
import { DECODE_TIMEOUT_SECONDS, decodeFailure, isTimeout } from './decode-failure.ts';
import { decodePicture, keptSize, type Picture, undecodedPicture } from './decode-picture.ts';
import type { DecodedImage, EncodedImage, Encoder, Urgency } from './encoder.ts';
import { CONTENT_TYPES } from './image-type.ts';
import { type InspectedSource, inspectSource } from './inspect.ts';
import { encodingFor, intoEncoding, MAX_SIDE } from './into-encoding.ts';
import type { Encoding } from './quality.ts';
import { scaled, scaleInside } from './size.ts';
import { createSlots, type Slots } from './slots.ts';

export interface SharpEncoderOptions {
  /** Decodes and encodes at once. */
  concurrency: number;
  /** The most pixels that a source may have, all frames together. */
  maxPixels: number;
}

// One thread an image and as many images as cores is what gets most of them done; see `scripts/bench/throughput.ts`.
sharp.concurrency(1);
// Sources differ, so that libvips' cache of operations would only hold memory.
sharp.cache(false);
// What is refused by its first bytes is not even looked at by a decoder.
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf', 'VipsForeignLoadMagick'] });

/**
 * Encodes with sharp. Sources that sharp cannot decode but phones write (HEVC) go through libheif first.
 *
 * A still is decoded once, to pixels as wide as the widest variant: narrower ones are resized from these, which looks no worse
 * than from the source. An animation, or a still too long for its pixels to be kept, is decoded for each encoding.
 */
export function createSharpEncoder({ concurrency, maxPixels }: SharpEncoderOptions): Encoder {
  const slots = createSlots(concurrency);

  return {
    async decode(bytes, maxWidth, urgency) {
      const source = await inspectSource(bytes, maxPixels);
      const size = keptSize(source, maxWidth);
      const { decodeBytes } = source;
      const picture = size
        ? await slots.take({ kind: 'decode', urgency, decodeBytes }, () =>
            decodePicture(bytes, source, size, maxPixels),
          )
        : undecodedPicture(bytes, source, maxPixels);
      return decodedImage({ source, picture, maxWidth, urgency, slots });
    },
  };
}

interface Decoded {
  source: InspectedSource;
  picture: Picture;
  maxWidth: number;
  urgency: Urgency;
  slots: Slots;
}

function decodedImage({ source, picture, maxWidth, urgency, slots }: Decoded): DecodedImage {
  const { facts, frames } = source;
  const step = {
    kind: 'encode',
    urgency,
    decodeBytes: picture.decodesEachTime ? source.decodeBytes : 0,
  } as const;
  // Several requests may come down to the same outcome: widths beyond the source's, or an animation as `avif` and as `webp`.
  const made = new Map<string, Promise<EncodedImage>>();

  return {
    facts,
    async encode({ width, tier, format }) {
      if (width > maxWidth) throw new TypeError(`decoded for ${maxWidth} pixels, asked for ${width}`);
      const encoding = encodingFor(format, frames);
      const side = MAX_SIDE[encoding];
      const scale = scaleInside(facts, { width: Math.min(width, side), height: side });
      const outcome = `${encoding} ${tier} ${scale}`;
      const known = made.get(outcome);
      if (known) return known;
      const image = slots.take(step, () => encodePicture(picture, source, { encoding, tier, scale }));
      made.set(outcome, image);
      image.catch(() => made.delete(outcome));
      return image;
    },
  };
}

interface Outcome {
  encoding: Encoding;
  tier: Tier;
  /** Of the source's size. */
  scale: number;
}

async function encodePicture(
  picture: Picture,
  { type, facts }: InspectedSource,
  { encoding, tier, scale }: Outcome,
): Promise<EncodedImage> {
  const image = (await picture.open()).resize({ ...scaled(facts, scale), fit: 'fill' });
  const { data, info } = await intoEncoding(encoding, image, tier)
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: Error) => {
      // Pixels that were kept are whole: what fails then is no fault of the source's.
      throw picture.decodesEachTime || isTimeout(cause) ? decodeFailure(type, cause) : cause;
    });
  return {
    body: data as Uint8Array<ArrayBuffer>,
    contentType: CONTENT_TYPES[encoding],
    width: info.width,
    height: info.pageHeight ?? info.height,
    effort: 'fast',
  };
}
