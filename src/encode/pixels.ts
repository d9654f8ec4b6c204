import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from './metric.ts';

/** What encoders are given: 8-bit sRGB, upright, at the size of the variant. */
export interface Pixels {
  data: Buffer;
  width: number;
  height: number;
  /** 4 only if something of it is transparent. */
  channels: 3 | 4;
}

/** As many as are compared; of a larger picture, so many in bands from top to bottom. The metric holds some 50 bytes for each. */
const MAX_SCORED_PIXELS = 4_000_000;
/** High enough for the metric's smallest scale. */
const BAND_ROWS = 256;

/** Reads the pixels that a pipeline ends with. Transparency that hides nothing is dropped: encoders would spend bytes on it. */
export async function readPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (info.channels === 3) return { data, width, height, channels: 3 };
  if (!isOpaque(data)) return { data, width, height, channels: 4 };
  return {
    data: await openPixels({ data, width, height, channels: 4 }).removeAlpha().raw().toBuffer(),
    width,
    height,
    channels: 3,
  };
}

function isOpaque(data: Buffer): boolean {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return false;
  return true;
}

export function openPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** Lays on white what is transparent, as JPEG has it and as most pages do. */
export async function onWhite(pixels: Pixels): Promise<Pixels & { channels: 3 }> {
  const { width, height } = pixels;
  if (pixels.channels === 3) return { ...pixels, channels: 3 };
  const data = await openPixels(pixels).flatten({ background: '#ffffff' }).raw().toBuffer();
  return { data, width, height, channels: 3 };
}

/** The picture that is compared: all of it, or bands spread evenly over what is too large. */
export function scored({ data, width, height }: RgbImage): RgbImage {
  const rows = Math.max(BAND_ROWS, Math.floor(MAX_SCORED_PIXELS / width));
  if (height <= rows) return { data, width, height };
  const bands = Math.floor(rows / BAND_ROWS);
  const bytes = BAND_ROWS * width * 3;
  const taken = new Uint8Array(bands * bytes);
  for (let band = 0; band < bands; band++) {
    const row =
      bands === 1 ? (height - BAND_ROWS) >> 1 : Math.floor((band * (height - BAND_ROWS)) / (bands - 1));
    taken.set(data.subarray(row * width * 3, row * width * 3 + bytes), band * bytes);
  }
  return { data: taken, width, height: bands * BAND_ROWS };
}

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/** By how much a picture shrinks to fit inside bounds: 1 when it does already, since nothing is ever enlarged. */
export function scaleInside(size: Size, bounds: Size): number {
  return Math.min(1, bounds.width / size.width, bounds.height / size.height);
}

/**
 * What a size becomes. It depends on the source alone, not on the steps in which its pixels get there, so that a variant
 * measures the same whatever it was made along with.
 */
export function scaled({ width, height }: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
