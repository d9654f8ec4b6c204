// Strips metadata from image files by copying only the parts that belong to the image. No pixel is decoded or changed.

import { pngChunks, webpChunks } from './chunks.ts';
import { KeptParts } from './file-parts.ts';
import { GIF, gifBlocks } from './gif-blocks.ts';
import { asBuffer } from './isobmff.ts';
import { JPEG, jpegSegments } from './jpeg-segments.ts';

/** What browsers decode, and the segments that define the colour space: JFIF and Adobe. */
const JPEG_KEPT: readonly number[] = [
  JPEG.BASELINE,
  JPEG.EXTENDED,
  JPEG.PROGRESSIVE,
  JPEG.DHT,
  JPEG.DQT,
  JPEG.DRI,
  JPEG.SOS,
  JPEG.SCAN_DATA,
  JPEG.EOI,
  JPEG.APP0,
  JPEG.APP14,
];

/** PNG chunks that define the image in sRGB. An animated PNG becomes a still: the one that decoders without APNG show. */
const PNG_KEPT = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'sRGB', 'sBIT', 'bKGD', 'pHYs'];
/** PNG chunks that give the pixel values another meaning than sRGB. */
const PNG_COLOURS = ['gAMA', 'cHRM', 'cICP', 'mDCV'];
const WEBP_KEPT = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF'];
/** Flags of VP8X: an ICC profile, Exif, XMP. */
const WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04;

/** Applications whose GIF extension holds the number of repetitions. */
const GIF_LOOPS = ['NETSCAPE2.0', 'ANIMEXTS1.0'];

/**
 * Strips Exif, XMP, thumbnails, comments and anything after the end from a JPEG.
 *
 * @returns `undefined` if the file has segments that browsers do not expect, or no end
 * @throws EdgepressError `source_too_large` for countless segments
 */
export function stripJpeg(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const kept = new KeptParts(bytes);
  kept.add(0, 2);
  for (const { marker, start, end } of jpegSegments(bytes, 'end')) {
    // JFIF's extension segment holds a thumbnail.
    const isThumbnail = marker === JPEG.APP0 && latin1(bytes, start + 4, 5) === 'JFXX\0';
    if (JPEG_KEPT.includes(marker) && !isThumbnail) kept.add(start, end);
    else if (marker !== JPEG.COM && (marker < JPEG.APP0 || marker > JPEG.APP15)) return undefined;
    if (marker === JPEG.EOI) return kept.copy();
  }
  return undefined;
}

/**
 * Strips all chunks but those of the image from a PNG. The caller checks its ICC profile, which is stripped too.
 *
 * @returns `undefined` if the pixel values are not sRGB, or the file has no end
 * @throws EdgepressError `source_too_large` for countless chunks
 */
export function stripPng(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const kept = new KeptParts(bytes);
  kept.add(0, 8);
  let [isSrgb, hasOtherColours] = [false, false];
  for (const { type, start, end } of pngChunks(bytes)) {
    if (end > bytes.length) return undefined;
    isSrgb ||= type === 'sRGB';
    hasOtherColours ||= PNG_COLOURS.includes(type);
    if (PNG_KEPT.includes(type)) kept.add(start, end);
    if (type === 'IEND') return hasOtherColours && !isSrgb ? undefined : kept.copy();
  }
  return undefined;
}

/**
 * Strips all chunks but those of the image from a WebP. The caller checks its ICC profile, which is stripped too.
 *
 * @returns `undefined` if the file has none of them
 * @throws EdgepressError `source_too_large` for countless chunks
 */
export function stripWebp(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const file = asBuffer(bytes);
  const length = file.length < 12 ? 0 : Math.min(file.length, 8 + file.readUInt32LE(4));
  const kept = new KeptParts(bytes);
  kept.add(0, 12);
  for (const { type, start, end } of webpChunks(bytes.subarray(0, length)))
    if (WEBP_KEPT.includes(type)) kept.add(start, end);
  const copy = kept.copy();
  if (copy.length <= 20) return undefined;
  asBuffer(copy).writeUInt32LE(copy.length - 8, 4);
  if (latin1(copy, 12, 4) === 'VP8X') copy[20] = (copy[20] as number) & ~WEBP_METADATA_FLAGS;
  return copy;
}

/**
 * Strips comments, texts, application data other than the number of repetitions, and anything after the end from a GIF.
 *
 * @returns `undefined` if the file is damaged or truncated
 * @throws EdgepressError `source_too_large` for countless blocks
 */
export function stripGif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const kept = new KeptParts(bytes);
  for (const { kind, label, range } of gifBlocks(bytes)) {
    const isLoop = label === GIF.APPLICATION && GIF_LOOPS.includes(latin1(bytes, range[0] + 3, 11));
    if (kind !== 'extension' || label === GIF.GRAPHIC_CONTROL || isLoop) kept.add(...range);
    if (kind === 'trailer') return kept.copy();
  }
  return undefined;
}

/** Returns a text of a file; less of it, or nothing, beyond the end of the file. */
function latin1(bytes: Uint8Array, at: number, length: number): string {
  return asBuffer(bytes).toString('latin1', at, at + length);
}
