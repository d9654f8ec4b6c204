import sharp, { type Metadata } from 'sharp';
import { EdgepressError } from '../error.ts';
import type { SourceFacts } from './encoder.ts';
import { isWholeGif } from './gif-structure.ts';
import { CONTENT_TYPES, type ImageType, sniffImageType } from './image-type.ts';

/** What has to be known of a source before it is decoded. */
export interface InspectedSource {
  type: ImageType;
  facts: SourceFacts;
  /** More than 1 for an animation. */
  frames: number;
  /** Which of a file's pictures is the one that its author meant. */
  page: number;
  /** All frames together. */
  pixels: number;
  iccProfile: Buffer | undefined;
}

/** Frames cost time even when they are tiny: a thirty-megabyte GIF can hold a million of one pixel. */
const MAX_FRAMES = 2000;

/**
 * Looks at a source without decoding it.
 *
 * @param maxPixels - the most that it may have, all frames together
 * @throws EdgepressError `source_not_image`, `source_corrupt` (its header is damaged) or `source_too_large`
 */
export async function inspectSource(bytes: Uint8Array, maxPixels: number): Promise<InspectedSource> {
  const type = sniffImageType(bytes);
  if (!type) throw new EdgepressError('source_not_image', notAnImage(bytes));
  const metadata = await readMetadata(bytes, type);
  if (type === 'gif' && !isWholeGif(bytes))
    throw new EdgepressError('source_corrupt', 'The gif image is truncated');
  const frames = type === 'gif' || type === 'webp' ? (metadata.pages ?? 1) : 1;
  const { width, height } = metadata.autoOrient;
  const pixels = width * height * frames;
  if (pixels > maxPixels) {
    const size = `${width}×${height}${frames > 1 ? ` × ${frames} frames` : ''}`;
    throw new EdgepressError(
      'source_too_large',
      `The image is ${size} pixels; at most ${maxPixels} are allowed`,
    );
  }
  if (frames > MAX_FRAMES) {
    throw new EdgepressError(
      'source_too_large',
      `The image has ${frames} frames; at most ${MAX_FRAMES} are allowed`,
    );
  }
  return {
    type: type === 'avif' && metadata.compression === 'hevc' ? 'hevc' : type,
    facts: { contentType: CONTENT_TYPES[type], width, height, bytes: bytes.byteLength },
    frames,
    page: metadata.pagePrimary ?? 0,
    pixels,
    iccProfile: metadata.icc,
  };
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
