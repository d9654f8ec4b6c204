// Strips metadata from image files by copying only the parts that belong to the image. No pixel is decoded or changed.

import { GIF, gifBlocks } from './gif-blocks.ts';

/** A range of bytes of a file; `to` is exclusive. */
type ByteRange = readonly [from: number, to: number];

/** Markers of JPEG segments (ITU-T T.81, annex B). */
const JPEG = {
  END: 0xd9,
  SCAN: 0xda,
  JFIF: 0xe0,
  /** Any number of fill bytes may precede a marker. */
  FILL: 0xff,
  /**
   * Frames that browsers decode (baseline, extended, progressive), scans, quantisation and Huffman tables, the restart interval, and the
   * segments that define the colour space: JFIF and Adobe.
   */
  KEPT: [0xc0, 0xc1, 0xc2, 0xda, 0xdb, 0xc4, 0xdd, 0xe0, 0xee, 0xd9],
  /** Application segments, comments and fill bytes. */
  DROPPED: [...Array.from({ length: 16 }, (_, index) => 0xe0 + index), 0xfe, 0xff],
};

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
 */
export function stripJpeg(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const kept: ByteRange[] = [[0, 2]];
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    const end = endOfSegment(bytes, at, marker);
    const isKept = JPEG.KEPT.includes(marker) && !isJfifExtension(bytes, at);
    if (isKept) kept.push([at, end]);
    else if (!JPEG.DROPPED.includes(marker)) return undefined;
    if (marker === JPEG.END) return copyRanges(bytes, kept);
    at = end;
  }
  return undefined;
}

/** JFIF's extension segment, which holds a thumbnail. */
function isJfifExtension(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === JPEG.JFIF && latin1(bytes, at + 4, 5) === 'JFXX\0';
}

function endOfSegment(bytes: Uint8Array, at: number, marker: number): number {
  if (marker === JPEG.FILL) return at + 1;
  if (marker === JPEG.END) return at + 2;
  return marker === JPEG.SCAN ? endOfScan(bytes, at) : at + 2 + uint16(bytes, at + 2);
}

/** Entropy-coded data follow the header of a scan, up to a marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Uint8Array, start: number): number {
  let at = start + 2 + uint16(bytes, start + 2);
  for (; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] as number;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) break;
  }
  return at;
}

/**
 * Strips all chunks but those of the image from a PNG. The caller checks its ICC profile, which is stripped too.
 *
 * @returns `undefined` if the pixel values are not sRGB, or the file has no end
 */
export function stripPng(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const chunks: { name: string; range: ByteRange }[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + uint32(bytes, at);
    if (end > bytes.length) return undefined;
    chunks.push({ name: latin1(bytes, at + 4, 4), range: [at, end] });
    at = end;
    if (chunks.at(-1)?.name === 'IEND') break;
  }
  const names = chunks.map(({ name }) => name);
  const hasOtherColours = !names.includes('sRGB') && names.some((name) => PNG_COLOURS.includes(name));
  if (hasOtherColours || names.at(-1) !== 'IEND') return undefined;
  const kept = chunks.filter(({ name }) => PNG_KEPT.includes(name));
  return copyRanges(bytes, [[0, 8], ...kept.map(({ range }) => range)]);
}

/** Strips all chunks but those of the image from a WebP. The caller checks its ICC profile, which is stripped too. */
export function stripWebp(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: ByteRange[] = [[0, 12]];
  const end = Math.min(bytes.length, 8 + uint32(bytes, 4, true));
  for (let at = 12; at + 8 <= end; ) {
    const length = uint32(bytes, at + 4, true);
    const next = at + 8 + length + (length & 1);
    if (WEBP_KEPT.includes(latin1(bytes, at, 4))) kept.push([at, Math.min(next, bytes.length)]);
    at = next;
  }
  const copy = copyRanges(bytes, kept);
  new DataView(copy.buffer).setUint32(4, copy.length - 8, true);
  if (latin1(copy, 12, 4) === 'VP8X') copy[20] = (copy[20] as number) & ~WEBP_METADATA_FLAGS;
  return copy;
}

/**
 * Strips comments, texts, application data other than the number of repetitions, and anything after the end from a GIF.
 *
 * @returns `undefined` if the file is damaged or truncated
 */
export function stripGif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const kept: ByteRange[] = [];
  for (const { kind, label, range } of gifBlocks(bytes)) {
    const isLoop = label === GIF.APPLICATION && GIF_LOOPS.includes(latin1(bytes, range[0] + 3, 11));
    if (kind !== 'extension' || label === GIF.GRAPHIC_CONTROL || isLoop) kept.push(range);
    if (kind === 'trailer') return copyRanges(bytes, kept);
  }
  return undefined;
}

function copyRanges(bytes: Uint8Array, ranges: readonly ByteRange[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(ranges.reduce((sum, [from, to]) => sum + to - from, 0));
  let at = 0;
  for (const [from, to] of ranges) {
    copy.set(bytes.subarray(from, to), at);
    at += to - from;
  }
  return copy;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint32(bytes: Uint8Array, at: number, littleEndian = false): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, littleEndian);
}

/** Returns a text of a file; less of it, or nothing, beyond the end of the file. */
function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', at, at + length);
}
