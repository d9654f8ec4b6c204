import type { RgbImage } from './metric.ts';

/** A difference of chroma between neighbouring pixels that shows when it is averaged, in levels. */
const SHARP_FROM = 32;
/**
 * The share of 2×2 pixels with such a difference. Photographs have at most 0.016, screenshots 0.05, and letters in one strong colour on
 * another 0.19: of these, 4:2:0 reaches a score of 49 at any quality, where lossless WebP needs hardly more bytes.
 */
const MIN_SHARE = 0.1;

/**
 * Whether a drawing has so many sharp edges between colours that halving the resolution of chroma would blur what it shows, such as
 * coloured letters on a coloured ground.
 */
export function hasSharpColours(image: RgbImage): boolean {
  let sharp = 0;
  let squares = 0;
  for (let y = 0; y + 2 <= image.height; y += 2) {
    for (let x = 0; x + 2 <= image.width; x += 2) {
      squares++;
      sharp += Number(chromaRange(image, x, y) >= SHARP_FROM);
    }
  }
  return sharp >= MIN_SHARE * squares && squares > 0;
}

/** Returns the larger range of blue and red chroma (ITU-R BT.601) in a square of 2×2 pixels. */
function chromaRange({ data, width }: RgbImage, left: number, top: number): number {
  let [minBlue, maxBlue, minRed, maxRed] = [255, -255, 255, -255];
  for (let i = 0; i < 4; i++) {
    const at = ((top + (i >> 1)) * width + left + (i & 1)) * 3;
    const [red, green, blue] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    const cb = (blue - luma) / 1.772;
    const cr = (red - luma) / 1.402;
    minBlue = Math.min(minBlue, cb);
    maxBlue = Math.max(maxBlue, cb);
    minRed = Math.min(minRed, cr);
    maxRed = Math.max(maxRed, cr);
  }
  return Math.max(maxBlue - minBlue, maxRed - minRed);
}
