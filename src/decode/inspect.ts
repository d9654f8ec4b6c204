import sharp, { type Metadata } from 'sharp';
import { EdgepressError } from '../protocol/error.ts';
import { notAnImageError } from './decode-errors.ts';
import { CONTENT_TYPES, type ImageType, type SourceFacts, sniffImageType } from './image-type.ts';
import { isCompleteGif } from './strip-metadata.ts';

/** What is known of a source before it is decoded. */
export interface InspectedSource {
  type: ImageType;
  /** The file to decode: the original, with harmless faults repaired. */
  bytes: Uint8Array;
  facts: SourceFacts;
  metadata: Metadata;
  /** More than 1 for an animation. */
  frames: number;
  /** The index of the file's primary image. */
  page: number;
  /** An estimate of the memory that decoding takes at most, in bytes. */
  decodeBytes: number;
  iccProfile: Buffer | undefined;
  /** Whether it is RGB with 16 bits per channel. */
  isDeepRgb: boolean;
}

/**
 * The most memory per pixel that decoding hostile images took (16 bits interlaced, progressive, 4:4:4 with alpha; 99 megapixels of one
 * colour, a few kilobytes as AVIF). libvips streams most images, but not these.
 */
const DECODE_BYTES_PER_PIXEL: Readonly<Record<ImageType, number>> = {
  jpeg: 7,
  png: 9,
  gif: 4,
  webp: 4,
  tiff: 4,
  avif: 20,
  hevc: 17,
};

/**
 * The most memory that decoding one image may take, whatever `maxPixels` allows. It is enough for 47 megapixels of AVIF and 55 of HEIC
 * (phones take 48), and with the process's own memory stays below 1 GiB.
 */
const MAX_DECODE_BYTES = 900 * 2 ** 20;

/** Even tiny frames cost time: a GIF of 30 MB can hold a million frames of one pixel. */
const MAX_FRAMES = 2000;

/**
 * Reads the type and the metadata of a source and checks its limits, without decoding pixels.
 *
 * @param maxPixels - the limit of pixels, all frames together
 * @throws EdgepressError `source_not_image`, `source_corrupt` (a damaged header or a truncated GIF) or `source_too_large`
 */
export async function inspectSource(bytes: Uint8Array, maxPixels: number): Promise<InspectedSource> {
  const sniffed = sniffImageType(bytes);
  if (!sniffed) throw notAnImageError(bytes);
  const metadata = await readMetadata(bytes, sniffed);
  const type = metadata.format === 'heif' ? codecOf(metadata) : sniffed;
  if (type === 'gif' && !isCompleteGif(bytes))
    throw new EdgepressError('source_corrupt', 'The gif image is truncated');
  const frames = type === 'gif' || type === 'webp' ? (metadata.pages ?? 1) : 1;
  const { width, height } = metadata.autoOrient;
  assertWithinLimits({ type, width, height, frames }, maxPixels);
  return {
    type,
    bytes,
    metadata,
    facts: { contentType: CONTENT_TYPES[type], width, height, bytes: bytes.byteLength },
    frames,
    page: metadata.pagePrimary ?? 0,
    decodeBytes: width * height * frames * DECODE_BYTES_PER_PIXEL[type],
    iccProfile: metadata.icc,
    isDeepRgb: metadata.space === 'rgb16',
  };
}

/** Returns the type by the codec of a HEIF file: its brands may name another one. */
function codecOf({ compression }: Metadata): ImageType {
  if (compression === 'av1') return 'avif';
  if (compression === 'hevc') return 'hevc';
  throw new EdgepressError(
    'source_not_image',
    `The source is HEIF with an unsupported codec (${compression})`,
  );
}

interface Dimensions {
  type: ImageType;
  width: number;
  height: number;
  frames: number;
}

function assertWithinLimits({ type, width, height, frames }: Dimensions, maxPixels: number): void {
  const limit = Math.min(maxPixels, Math.floor(MAX_DECODE_BYTES / DECODE_BYTES_PER_PIXEL[type]));
  if (width * height * frames > limit) {
    const size = `${width}×${height}${frames > 1 ? ` × ${frames} frames` : ''}`;
    const detail = `The ${type} image is ${size} pixels; at most ${limit} are allowed`;
    throw new EdgepressError('source_too_large', detail);
  }
  if (frames > MAX_FRAMES) {
    throw new EdgepressError(
      'source_too_large',
      `The image has ${frames} frames; at most ${MAX_FRAMES} are allowed`,
    );
  }
}

async function readMetadata(bytes: Uint8Array, type: ImageType): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new EdgepressError('source_corrupt', `The header of the ${type} image is damaged`, { cause });
  }
}
