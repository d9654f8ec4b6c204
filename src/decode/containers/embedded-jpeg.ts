import { withOrientation } from './jpeg-orientation.ts';
import { JPEG, jpegSegments } from './jpeg-segments.ts';

const START = Buffer.from([0xff, 0xd8, 0xff]);
/** Sensor data are lossless JPEG, which has another marker. */
const FRAMES: readonly number[] = [JPEG.BASELINE, JPEG.EXTENDED, JPEG.PROGRESSIVE];
const COMPONENTS_OF_COLOUR = 3;
/** RAW files have three previews at most; sensor data contain the bytes of a start by chance. */
const MAX_CANDIDATES = 10_000;
/** Before the first scan. */
const MAX_SEGMENTS = 500;
/** Smaller ones are thumbnails, on which nothing can be read. */
const MIN_PIXELS = 320 * 200;

/**
 * Returns the largest JPEG in a camera's RAW file, wherever it lies: each maker has places of its own for it.
 *
 * @param orientation - in place of the preview's own, if the RAW file says one
 * @returns `undefined` if there is none but a thumbnail
 */
export function largestEmbeddedJpeg(file: Buffer, orientation: number | undefined): Buffer | undefined {
  let largest: { jpeg: Buffer; pixels: number } | undefined;
  let at = file.indexOf(START);
  for (let count = 0; at >= 0 && count < MAX_CANDIDATES; count++) {
    const jpeg = file.subarray(at);
    const pixels = pixelsOf(jpeg);
    if (pixels > (largest?.pixels ?? MIN_PIXELS - 1)) largest = { jpeg, pixels };
    at = file.indexOf(START, at + 1);
  }
  if (!largest) return undefined;
  const jpeg = untilEnd(largest.jpeg);
  return orientation === undefined ? jpeg : withOrientation(jpeg, orientation);
}

/** Returns the pixels of a colour image, as its segments up to the first scan say; 0 if they are not those of one. */
function pixelsOf(jpeg: Buffer): number {
  let [pixels, count] = [0, 0];
  for (const { marker, start, end } of jpegSegments(jpeg, 'end')) {
    if (marker === JPEG.SOS) return pixels;
    if (marker < JPEG.BASELINE || ++count > MAX_SEGMENTS) return 0;
    if (!FRAMES.includes(marker)) continue;
    if (end - start < 10 || jpeg[start + 9] !== COMPONENTS_OF_COLOUR) return 0;
    pixels = jpeg.readUInt16BE(start + 5) * jpeg.readUInt16BE(start + 7);
  }
  return 0;
}

/** Returns the file up to the end of its image; all of it if there is none. */
function untilEnd(jpeg: Buffer): Buffer {
  for (const { marker, end } of jpegSegments(jpeg, 'skip'))
    if (marker === JPEG.EOI) return jpeg.subarray(0, end);
  return jpeg;
}
