import sharp, { type Metadata } from 'sharp';
import { EdgepressError } from '../protocol/error.ts';
import type { SourceFacts } from './encoder.ts';
import { CONTENT_TYPES, type ImageType, sniffImageType } from './image-type.ts';
import { type ServableOriginal, servableOriginal } from './servable-original.ts';
import { isWholeGif } from './strip-metadata.ts';

/** What has to be known of a source before it is decoded. */
export interface InspectedSource {
  type: ImageType;
  facts: SourceFacts;
  /** More than 1 for an animation. */
  frames: number;
  /** Which of a file's pictures is the one that its author meant. */
  page: number;
  /** About how much memory decoding it may take. */
  decodeBytes: number;
  iccProfile: Buffer | undefined;
  /** Whether it is RGB of 16 bits a channel. */
  isDeepRgb: boolean;
  /** Makes a copy that may be passed on, if that can be; see {@link servableOriginal}. */
  safe(): ServableOriginal | undefined;
}

/**
 * The most memory that decoding took for each pixel of hostile images (16 bits interlaced, progressive, 4:4:4 with alpha;
 * 99 megapixels, flat, a few kilobytes in AVIF). libvips streams what it can, but these it cannot.
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
 * However many pixels are allowed, no one picture may take more: 47 megapixels of AVIF, 55 of HEIC, where phones have 48.
 * With what the process itself needs, this stays below 1 GiB.
 */
const MAX_DECODE_BYTES = 900 * 2 ** 20;

/** Frames cost time even when they are tiny: a thirty-megabyte GIF can hold a million of one pixel. */
const MAX_FRAMES = 2000;

/**
 * Looks at a source without decoding it.
 *
 * @param maxPixels - the most that it may have, all frames together
 * @throws EdgepressError `source_not_image`, `source_corrupt` (its header is damaged) or `source_too_large`
 */
export async function inspectSource(bytes: Uint8Array, maxPixels: number): Promise<InspectedSource> {
  const sniffed = sniffImageType(bytes);
  if (!sniffed) throw new EdgepressError('source_not_image', notAnImage(bytes));
  const metadata = await readMetadata(bytes, sniffed);
  const type = metadata.format === 'heif' ? codecOf(metadata) : sniffed;
  if (type === 'gif' && !isWholeGif(bytes))
    throw new EdgepressError('source_corrupt', 'The gif image is truncated');
  const frames = type === 'gif' || type === 'webp' ? (metadata.pages ?? 1) : 1;
  const { width, height } = metadata.autoOrient;
  refuseTooLarge({ type, width, height, frames }, maxPixels);
  return {
    type,
    facts: { contentType: CONTENT_TYPES[type], width, height, bytes: bytes.byteLength },
    frames,
    page: metadata.pagePrimary ?? 0,
    decodeBytes: width * height * frames * DECODE_BYTES_PER_PIXEL[type],
    iccProfile: metadata.icc,
    isDeepRgb: metadata.space === 'rgb16',
    safe: () => servableOriginal(bytes, type, metadata),
  };
}

/** What a HEIF file is said to be and what is in it need not agree. */
function codecOf({ compression }: Metadata): ImageType {
  if (compression === 'av1') return 'avif';
  if (compression === 'hevc') return 'hevc';
  throw new EdgepressError(
    'source_not_image',
    `The source is HEIF of a kind that is not decoded here (${compression})`,
  );
}

interface Extent {
  type: ImageType;
  width: number;
  height: number;
  frames: number;
}

function refuseTooLarge({ type, width, height, frames }: Extent, maxPixels: number): void {
  const mostPixels = Math.min(maxPixels, Math.floor(MAX_DECODE_BYTES / DECODE_BYTES_PER_PIXEL[type]));
  if (width * height * frames > mostPixels) {
    const size = `${width}×${height}${frames > 1 ? ` × ${frames} frames` : ''}`;
    const detail = `The ${type} image is ${size} pixels; at most ${mostPixels} are allowed`;
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

/** Says what came instead, since "not an image" alone sends people looking in the wrong place. */
function notAnImage(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return 'The source is empty';
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1').trimStart().toLowerCase();
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return 'The source is an HTML page, not an image';
  if (start.includes('<svg')) return 'The source is SVG, which is a document and not taken here';
  return 'The source is no image of a kind that is decoded here (JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF)';
}
