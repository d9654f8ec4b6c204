import { withOrientation } from './jpeg-orientation.ts';

const START = Buffer.from([0xff, 0xd8, 0xff]);
/** Markers of JPEG (ITU-T T.81, table B.1). */
const MARKER = { END: 0xd9, SCAN: 0xda };
/** Baseline, extended and progressive. Sensor data are lossless JPEG, which has another marker. */
const FRAMES = [0xc0, 0xc1, 0xc2];
const COMPONENTS_OF_COLOUR = 3;
/** RAW files have three previews at most; sensor data contain the bytes of a start by chance. */
const MAX_CANDIDATES = 10_000;
/** Before the first scan. */
const MAX_SEGMENTS = 500;
/** Smaller ones are thumbnails, on which nothing can be read. */
const MIN_PIXELS = 320 * 200;

interface Candidate {
  at: number;
  pixels: number;
  /** Where the first scan begins. */
  scan: number;
}

/**
 * Returns the largest JPEG in a camera's RAW file, wherever it lies: each maker has places of its own for it.
 *
 * @param orientation - in place of the preview's own, if the RAW file says one
 * @returns `undefined` if there is none but a thumbnail
 */
export function largestEmbeddedJpeg(file: Buffer, orientation: number | undefined): Buffer | undefined {
  let largest: Candidate | undefined;
  let at = file.indexOf(START);
  for (let count = 0; at >= 0 && count < MAX_CANDIDATES; count++) {
    const candidate = readCandidate(file, at);
    if (candidate && candidate.pixels > (largest?.pixels ?? MIN_PIXELS - 1)) largest = candidate;
    at = file.indexOf(START, at + 1);
  }
  if (!largest) return undefined;
  const jpeg = file.subarray(largest.at, endOfImage(file, largest.scan));
  return orientation === undefined ? jpeg : withOrientation(jpeg, orientation);
}

/** Reads the segments up to the first scan; `undefined` if they are not those of a colour image. */
function readCandidate(file: Buffer, at: number): Candidate | undefined {
  let pixels = 0;
  let segment = at + 2;
  for (
    let count = 0;
    count < MAX_SEGMENTS && segment + 10 <= file.length && file[segment] === 0xff;
    count++
  ) {
    const marker = file[segment + 1] as number;
    if (marker === MARKER.SCAN) return pixels > 0 ? { at, pixels, scan: segment } : undefined;
    if (marker < 0xc0 || marker === 0xff) return undefined;
    if (FRAMES.includes(marker)) {
      if (file[segment + 9] !== COMPONENTS_OF_COLOUR) return undefined;
      pixels = file.readUInt16BE(segment + 5) * file.readUInt16BE(segment + 7);
    }
    segment += 2 + file.readUInt16BE(segment + 2);
  }
  return undefined;
}

/** Returns the offset behind the end of image; the end of the file if there is none. */
function endOfImage(file: Buffer, scan: number): number {
  for (let at = scan; at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at + 1)) {
    if (file[at] === 0xff && file[at + 1] === MARKER.END) return at + 2;
  }
  return file.length;
}
