import sharp, { type Sharp } from 'sharp';
import type { PixelSource, RawPixels } from '../decode/decode.ts';
import type { Size } from '../decode/size.ts';
import { flattenOnWhite } from './encodings.ts';
import type { RgbImage } from './metric.ts';

/** The input of encoders: 8-bit sRGB, upright, at the size of the variant. There are 4 channels only if at least one pixel is transparent. */
export type Pixels = RawPixels;

/** The metric needs some 25 bytes per pixel, so a larger image is scored in bands with about this many pixels together. */
const MAX_SCORED_PIXELS = 4_000_000;
/** High enough for the metric's smallest scale. */
const BAND_ROWS = 256;

/**
 * Returns the pixels of a source, resized and cropped; see {@link resizeAndCrop}.
 *
 * @param source - whose pixels are in memory, or decoded by each pipeline
 */
export async function pixelsAt(source: PixelSource, size: Size, kept: Size): Promise<Pixels> {
  const { decoded } = source;
  // A pipeline that changes nothing would still copy all pixels.
  if (decoded && isSameSize(decoded, size) && isSameSize(size, kept)) return await dropOpaqueAlpha(decoded);
  return await readPixels(resizeAndCrop(await source.open(), size, kept));
}

/** Runs a pipeline and returns its pixels. */
export async function readPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return await dropOpaqueAlpha({ data, width, height, channels: info.channels === 3 ? 3 : 4 });
}

/** Drops an alpha channel that is opaque throughout: encoders would spend bytes on it. */
async function dropOpaqueAlpha(pixels: Pixels): Promise<Pixels> {
  if (pixels.channels === 3 || !isOpaque(pixels.data)) return pixels;
  return { ...pixels, data: await openPixels(pixels).removeAlpha().raw().toBuffer(), channels: 3 };
}

function isSameSize(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}

function isOpaque(data: Buffer): boolean {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return false;
  return true;
}

/**
 * Resizes an image and crops what exceeds the kept size, from the right and the bottom: resizing to a size that differs by a pixel would
 * blur screenshots.
 */
export function resizeAndCrop(image: Sharp, size: Size, kept: Size): Sharp {
  const resized = image.resize({ width: size.width, height: size.height, fit: 'fill' });
  return isSameSize(kept, size)
    ? resized
    : resized.extract({ left: 0, top: 0, width: kept.width, height: kept.height });
}

/** Returns a new sharp pipeline that starts with these pixels. */
export function openPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** Flattens pixels on white, as JPEG variants are and as they look on most pages. */
export async function flattenPixels(pixels: Pixels): Promise<Pixels & { channels: 3 }> {
  const { width, height } = pixels;
  if (pixels.channels === 3) return { ...pixels, channels: 3 };
  const data = await flattenOnWhite(openPixels(pixels)).raw().toBuffer();
  return { data, width, height, channels: 3 };
}

/** Returns the part of an image that is scored: all of it, or bands at even distances if it is too large. */
export function scoredPart({ data, width, height }: RgbImage): RgbImage {
  const rows = Math.max(BAND_ROWS, Math.floor(MAX_SCORED_PIXELS / width));
  if (height <= rows) return { data, width, height };
  const bands = Math.floor(rows / BAND_ROWS);
  const bytes = BAND_ROWS * width * 3;
  const part = new Uint8Array(bands * bytes);
  for (let band = 0; band < bands; band++) {
    const row =
      bands === 1 ? (height - BAND_ROWS) >> 1 : Math.floor((band * (height - BAND_ROWS)) / (bands - 1));
    part.set(data.subarray(row * width * 3, row * width * 3 + bytes), band * bytes);
  }
  return { data: part, width, height: bands * BAND_ROWS };
}
