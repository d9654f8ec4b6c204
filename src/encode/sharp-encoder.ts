import sharp from 'sharp';
import {
  decodedSize,
  decodeOrRepair,
  isKeptAtFullSize,
  type PixelSource,
  streamPixels,
} from '../decode/decode.ts';
import { isOutOfMemory, isTimeout, memoryError, stoppedError } from '../decode/decode-errors.ts';
import { type InspectedSource, inspectSource } from '../decode/inspect.ts';
import { scaled, scaleInside } from '../decode/size.ts';
import type { Locks } from '../locks.ts';
import type { Format } from '../protocol/request.ts';
import { createEncodeSemaphore, type EncodeSemaphore, type RunWithPermit } from './encode-semaphore.ts';
import { encodeStill, type StillSource } from './encode-still.ts';
import { encodeStreamed } from './encode-streamed.ts';
import type { DecodedImage, EncodedImage, EncodeRequest, Encoder, Urgency } from './encoder.ts';
import { animatedEncoding, contentTypeOf, MAX_SIDE, variantSize } from './encodings.ts';
import { createMetric, type Metric } from './metric.ts';
import { pixelsAt } from './pixels.ts';
import { isNearSize, type ServableOriginal, servableOriginal } from './servable-original.ts';
import { estimateSourceScore } from './source-score.ts';
import { createStill, type Still } from './still.ts';

export interface SharpEncoderOptions {
  /** The number of concurrent decodes and encodes. */
  concurrency: number;
  /** The limit of pixels of a source, all frames together. */
  maxPixels: number;
  /** Hold the permits to decode and encode. Default: of this process alone. */
  locks?: Locks | undefined;
}

// One thread per image and as many images as cores give the highest throughput; see `npm run bench -- misses`.
sharp.concurrency(1);
// Every source is different, so libvips' cache of operations would only hold memory.
sharp.cache(false);
// `sniffImageType` already rejects these types. Blocking makes sure that no file reaches their loaders.
sharp.block({ operation: ['VipsForeignLoadSvg', 'VipsForeignLoadPdf', 'VipsForeignLoadMagick'] });

/** The largest height of any encoding, in pixels. */
const MAX_HEIGHT = Math.max(...Object.values(MAX_SIDE));

/** Whether decoding may hold a permit for half a minute. HEIC takes a second or two, and is what phones write: it is not held back. */
function isSlow({ type, decoder }: InspectedSource): boolean {
  return decoder === 'pdfium' || (decoder === 'magick' && type !== 'hevc');
}

/**
 * Creates an encoder that uses sharp. What sharp cannot decode, as the HEIC that phones write, other decoders do.
 *
 * A still is decoded once, at the width of its widest variant: narrower variants are resized from these pixels, which looks no worse than
 * resizing the source. An animation, or a still too long for its pixels to be kept, is decoded for each variant and encoded at a fixed
 * quality: scoring would hold all of it in memory.
 */
export function createSharpEncoder({ concurrency, maxPixels, locks }: SharpEncoderOptions): Encoder {
  const permits = createEncodeSemaphore(concurrency, locks);
  const metric = createMetric(concurrency);

  return {
    async decode(bytes, maxWidth, urgency, signal, onStart) {
      const semaphore: EncodeSemaphore = {
        runWithPermit: (request, work) =>
          permits.runWithPermit({ ...request, signal }, async () => {
            onStart?.();
            return await work();
          }),
      };
      const source = await inspectSource(bytes, maxPixels, urgency === 'prewarm');
      const size = decodedSize(source, { width: maxWidth, height: MAX_HEIGHT });
      const { decodeBytes } = source;
      const withPermit: RunWithPermit = (work) =>
        semaphore.runWithPermit({ kind: 'decode', urgency, decodeBytes, isSlow: isSlow(source) }, work);
      const decoded = size
        ? await withPermit(() => decodeOrRepair(source, size, maxPixels))
        : { source, pixels: streamPixels(source, maxPixels, withPermit) };
      return createDecodedImage({ ...decoded, maxWidth, urgency, semaphore, metric });
    },
  };
}

interface DecodedImageOptions {
  source: InspectedSource;
  pixels: PixelSource;
  maxWidth: number;
  urgency: Urgency;
  semaphore: EncodeSemaphore;
  metric: Metric;
}

function createDecodedImage(options: DecodedImageOptions): DecodedImage {
  const { source, pixels, maxWidth, urgency, semaphore, metric } = options;
  const { facts, frames } = source;
  const decodeBytes = pixels.isStreamed ? source.decodeBytes : 0;
  const runWithPermit: RunWithPermit = (work) =>
    semaphore.runWithPermit({ kind: 'encode', urgency, decodeBytes }, work);
  const stills = new Map<string, Promise<Still>>();
  // Different requests may have the same result: widths beyond the source's, or an animation as `avif` and as `webp`.
  const variants = new Map<string, Promise<EncodedImage>>();

  let stripped: { servable: ServableOriginal | undefined } | undefined;

  function stillAt(scale: number, format: Format): Promise<Still> {
    const size = scaled(facts, scale);
    const kept = variantSize(size, format);
    return memoized(stills, `${scale} ${kept.width}×${kept.height}`, async () => {
      const still = await runWithPermit(() => pixelsAt(pixels, size, kept));
      return createStill({ pixels: still, metric, runWithPermit });
    });
  }

  function sourceAt(scale: number, format: Format): StillSource {
    const isEncodable = Math.max(facts.width, facts.height) <= MAX_SIDE[format];
    const isNear = isEncodable && isNearSize(facts, scaled(facts, scale));
    const isResized = scale < 1;
    if (isNear) stripped ??= { servable: servableOriginal(source) };
    return {
      bytes: facts.bytes,
      isNear,
      servable: isNear ? stripped?.servable : undefined,
      score: estimateSourceScore(source, scale),
      isResized,
      // It is encoded without loss, and only AVIF needs even sides.
      fullSize:
        isNear && isResized && isKeptAtFullSize(source)
          ? () => stillAt(1, format === 'avif' ? 'webp' : format)
          : undefined,
    };
  }

  async function encodeAt(scale: number, request: EncodeRequest): Promise<EncodedImage> {
    const { effort, format } = request;
    const original = sourceAt(scale, format);
    if (pixels.isStreamed) {
      const encoded = await encodeStreamed(pixels, source, { ...request, scale }, original, runWithPermit);
      return { ...encoded, effort };
    }
    const still = await stillAt(scale, format);
    const started = process.cpuUsage();
    const { encoding, ...encoded } = await encodeStill(still, request, original).catch((cause: Error) => {
      // The pixels are decoded already, so only a lack of time or memory is an expected error here; any other is a bug.
      if (isOutOfMemory(cause)) throw memoryError(source.type, cause);
      throw isTimeout(cause) ? stoppedError(source.type, started, cause) : cause;
    });
    return { ...encoded, contentType: contentTypeOf(encoding), effort };
  }

  return {
    facts,
    isStreamed: pixels.isStreamed,
    close() {},
    async encode(request) {
      const { width, tier, format, effort, maxBytes } = request;
      if (width > maxWidth)
        throw new TypeError(`decoded for a width of ${maxWidth} pixels, but ${width} requested`);
      const side = MAX_SIDE[format];
      const scale = scaleInside(facts, { width: Math.min(width, side), height: side });
      const target = frames > 1 ? animatedEncoding(format) : format;
      const key = [target, tier, scale, effort, maxBytes].join(' ');
      return memoized(variants, key, () => encodeAt(scale, request));
    },
  };
}

/** Returns the pending or finished result for a key, or starts the work. A failed result is dropped. */
function memoized<K, V>(results: Map<K, Promise<V>>, key: K, work: () => Promise<V>): Promise<V> {
  const known = results.get(key);
  if (known) return known;
  const result = work();
  results.set(key, result);
  result.catch(() => results.delete(key));
  return result;
}
