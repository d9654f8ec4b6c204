import type { RgbImage } from './metric.ts';

/** A difference of chroma between neighbouring pixels that shows when it is averaged, in levels. */
const SHARP_FROM = 32;
/** Squares of 2×2 pixels are sampled, one in four; in large images, one in sixteen are enough. */
const SQUARE = 2;
const GRID = 4;
const LARGE_GRID = 8;
const LARGE_PIXELS = 500_000;

/**
 * From this share of sharp colours on, encoders correct luma for the chroma that 4:2:0 averages. In 30 photographs and screenshots, two
 * photographs with signs in strong colours (0.011, 0.016) and the screenshots (0.05) have more. Others gain nothing.
 */
const CORRECTED_FROM = 0.01;
/**
 * From this share on, letters in one strong colour on another (0.19) are what a drawing shows: uncorrected 4:2:0 reaches a score of 49 at
 * any quality, and nearly lossless WebP needs as many bytes as AVIF in 4:4:4.
 */
const LOSSLESS_FROM = 0.1;

/** Returns the share of an image, from 0 to 1, in which colours change sharply, so that 4:2:0 would blur them. */
export function shareOfSharpColours(image: RgbImage): number {
  let sharp = 0;
  let squares = 0;
  const step = image.width * image.height > LARGE_PIXELS ? LARGE_GRID : GRID;
  for (let y = 0; y + SQUARE <= image.height; y += step) {
    for (let x = 0; x + SQUARE <= image.width; x += step) {
      squares++;
      sharp += Number(chromaRange(image, x, y) >= SHARP_FROM);
    }
  }
  return sharp / Math.max(1, squares);
}

/** Whether encoders should correct luma for the chroma that 4:2:0 averages. */
export function needsSharpChroma(share: number | undefined): boolean {
  return (share ?? 0) >= CORRECTED_FROM;
}

/** Whether a drawing consists of sharp edges between colours so much that it is sent nearly lossless. */
export function needsLossless(share: number | undefined): boolean {
  return (share ?? 0) >= LOSSLESS_FROM;
}

/**
 * Returns the larger range of blue and red chroma (ITU-R BT.601) in a square of 2×2 pixels, in levels. Images have a hundred thousand of
 * them: so nothing is allocated, and chroma is computed in whole parts of 1/256.
 */
function chromaRange({ data, width }: RgbImage, left: number, top: number): number {
  let minBlue = 0x7fff;
  let maxBlue = -0x7fff;
  let minRed = 0x7fff;
  let maxRed = -0x7fff;
  for (let i = 0; i < 4; i++) {
    const at = ((top + (i >> 1)) * width + left + (i & 1)) * 3;
    const red = data[at] as number;
    const green = data[at + 1] as number;
    const blue = data[at + 2] as number;
    const cb = 128 * blue - 43 * red - 85 * green;
    const cr = 128 * red - 107 * green - 21 * blue;
    if (cb < minBlue) minBlue = cb;
    if (cb > maxBlue) maxBlue = cb;
    if (cr < minRed) minRed = cr;
    if (cr > maxRed) maxRed = cr;
  }
  const [rangeOfBlue, rangeOfRed] = [maxBlue - minBlue, maxRed - minRed];
  return (rangeOfBlue > rangeOfRed ? rangeOfBlue : rangeOfRed) / 256;
}
