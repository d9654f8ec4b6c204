import sharp from 'sharp';
import { decodePicture, keptSize, type Picture, undecodedPicture } from './decode.ts';
import { decodeFailure, isTimeout } from './decode-failure.ts';
import { createEncodeSemaphore, type EncodeSemaphore, type RunWithPermit } from './encode-semaphore.ts';
import { encodeStill } from './encode-still.ts';
import { encodeUndecoded } from './encode-streamed.ts';
import type { DecodedImage, EncodedImage, EncodeRequest, Encoder, Urgency } from './encoder.ts';
import { animatedEncoding, MAX_SIDE } from './encodings.ts';
import { CONTENT_TYPES } from './image-type.ts';
import { type InspectedSource, inspectSource } from './inspect.ts';
import { createMetric, type Metric } from './metric.ts';
import { readPixels, scaled, scaleInside } from './pixels.ts';
import { createStill, type Still } from './still.ts';

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
 * than from the source. An animation, or a still too long for its pixels to be kept, is decoded for each encoding, with one quality
 * for all: to look at what comes out would take it whole into memory.
 */
export function createSharpEncoder({ concurrency, maxPixels }: SharpEncoderOptions): Encoder {
  const semaphore = createEncodeSemaphore(concurrency);
  const metric = createMetric(concurrency);

  return {
    async decode(bytes, maxWidth, urgency) {
      const source = await inspectSource(bytes, maxPixels);
      const size = keptSize(source, maxWidth);
      const { decodeBytes } = source;
      const picture = size
        ? await semaphore.take({ kind: 'decode', urgency, decodeBytes }, () =>
            decodePicture(bytes, source, size, maxPixels),
          )
        : undecodedPicture(bytes, source, maxPixels);
      return decodedImage({ source, picture, maxWidth, urgency, semaphore, metric });
    },
  };
}

interface Decoded {
  source: InspectedSource;
  picture: Picture;
  maxWidth: number;
  urgency: Urgency;
  semaphore: EncodeSemaphore;
  metric: Metric;
}

function decodedImage({ source, picture, maxWidth, urgency, semaphore, metric }: Decoded): DecodedImage {
  const { facts, frames } = source;
  const decodeBytes = picture.decodesEachTime ? source.decodeBytes : 0;
  const runWithPermit: RunWithPermit = (work) =>
    semaphore.take({ kind: 'encode', urgency, decodeBytes }, work);
  const stills = new Map<number, Promise<Still>>();
  // Several requests may come down to the same outcome: widths beyond the source's, or an animation as `avif` and as `webp`.
  const made = new Map<string, Promise<EncodedImage>>();

  function stillAt(scale: number): Promise<Still> {
    const open = async () => {
      const image = (await picture.open()).resize({ ...scaled(facts, scale), fit: 'fill' });
      return createStill({ pixels: await runWithPermit(() => readPixels(image)), metric, runWithPermit });
    };
    return remembered(stills, scale, open);
  }

  async function make(scale: number, request: EncodeRequest): Promise<EncodedImage> {
    const { effort } = request;
    const atHand = scale === 1 ? { bytes: facts.bytes, safe: source.safe() } : undefined;
    if (picture.decodesEachTime)
      return {
        ...(await encodeUndecoded(picture, source, { ...request, scale }, atHand, runWithPermit)),
        effort,
      };
    const still = await stillAt(scale);
    const { encoding, body, score, isSource } = await encodeStill(still, request, atHand).catch(
      (cause: Error) => {
        // Pixels that were kept are whole: what fails then is no fault of the source's.
        throw isTimeout(cause) ? decodeFailure(source.type, cause) : cause;
      },
    );
    const { width, height } = still;
    return { body, contentType: CONTENT_TYPES[encoding], width, height, effort, score, isSource };
  }

  return {
    facts,
    async encode(request) {
      const { width, tier, format, effort, maxBytes } = request;
      if (width > maxWidth) throw new TypeError(`decoded for ${maxWidth} pixels, asked for ${width}`);
      const side = MAX_SIDE[format];
      const scale = scaleInside(facts, { width: Math.min(width, side), height: side });
      const kind = frames > 1 ? animatedEncoding(format) : format;
      return remembered(made, [kind, tier, scale, effort, maxBytes].join(' '), () => make(scale, request));
    },
  };
}

/** What was made for a key, or is being made; a failure is forgotten. */
function remembered<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const before = known.get(key);
  if (before) return before;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}
