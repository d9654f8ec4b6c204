import { QUARTERS } from './pictures.ts';

/** The masks of red, green, blue and alpha. */
export type Masks = readonly [number, number, number, number];

/** Kinds of BMP: bits per pixel, whether rows are from top to bottom, run lengths, and the version of the header. */
export interface BmpKind {
  bits: 1 | 2 | 4 | 8 | 16 | 24 | 32;
  isTopDown?: boolean;
  /** With 24 bits only in OS/2. */
  isRunLength?: boolean;
  /** The size of the header: 12 (OS/2), 16 and 64 (OS/2 2.0), 40, 52, 56, 108 (V4) or 124 (V5). */
  header?: 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124;
  /** For 16 and 32 bits. Without them, headers of V4 and V5 have the usual ones. */
  masks?: Masks;
  /** Of the left half, if there is a mask for it, or else the fourth byte of 32 bits. */
  alpha?: number;
}

type Colour = { r: number; g: number; b: number };

/** Values of biCompression: BI_RLE8, BI_RLE4, OS/2's RLE24, BI_BITFIELDS, BI_ALPHABITFIELDS; and of bV5CSType: LCS_sRGB. */
const RUN_LENGTHS: Readonly<Record<number, number>> = { 8: 1, 4: 2, 24: 4 };
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;
const SRGB = 0x73524742;
const USUAL_MASKS: Masks = [0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000];
const MASKS_OF_16_BITS: Masks = [0x7c00, 0x03e0, 0x001f, 0];

/** The palette index, or the colour, of a pixel: the four quarters, or with one bit two halves. */
export function indexAt(x: number, y: number, width: number, height: number, bits: number): number {
  const right = x >= width / 2 ? 1 : 0;
  return bits === 1 ? right : right + (y >= height / 2 ? 2 : 0);
}

/** Makes a BMP in the colours of {@link QUARTERS}; with one bit, in those of the upper two. */
export function bmp(width: number, height: number, kind: BmpKind): Buffer {
  const dib = bmpWithoutFileHeader(width, height, kind);
  const fileHeader = Buffer.alloc(14);
  fileHeader.write('BM');
  fileHeader.writeUInt32LE(14 + dib.bytes.length, 2);
  fileHeader.writeUInt32LE(14 + dib.pixelsAt, 10);
  return Buffer.concat([fileHeader, dib.bytes]);
}

/** The part of a BMP that icons have. */
export function bmpWithoutFileHeader(width: number, height: number, kind: BmpKind) {
  const { bits, isTopDown = false, isRunLength = false, header = 40 } = kind;
  const info = header === 12 ? coreHeader(width, height, bits) : infoHeader(width, height, kind);
  const palette = bits <= 8 ? paletteOf(2 ** bits, header === 12 ? 3 : 4) : Buffer.alloc(0);
  const ys = Array.from({ length: height }, (_, row) => (isTopDown ? row : height - 1 - row));
  const rows = ys.map((y) => {
    const indexes = Array.from({ length: width }, (_, x) => indexAt(x, y, width, height, bits));
    return isRunLength ? runLengths(indexes, bits) : packed(indexes, kind);
  });
  const end = isRunLength ? [Buffer.from([0, 1])] : [];
  return {
    pixelsAt: info.length + palette.length,
    bytes: Buffer.concat([info, palette, ...rows, ...end]),
  };
}

/** BITMAPCOREHEADER. */
function coreHeader(width: number, height: number, bits: number): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt32LE(info.length);
  for (const [index, value] of [width, height, 1, bits].entries()) info.writeUInt16LE(value, 4 + 2 * index);
  return info;
}

/** BITMAPINFOHEADER, what OS/2 2.0 has of it, or one of its later versions, which have masks. */
function infoHeader(width: number, height: number, kind: BmpKind): Buffer {
  const { bits, isTopDown, isRunLength, header = 40 } = kind;
  const info = Buffer.alloc(124);
  info.writeUInt32LE(header);
  info.writeInt32LE(width, 4);
  info.writeInt32LE(isTopDown ? -height : height, 8);
  info.writeUInt16LE(1, 12);
  info.writeUInt16LE(bits, 14);
  const masks = kind.masks ?? (header >= 108 && bits === 32 ? USUAL_MASKS : undefined);
  const fields = masks ? maskFields(masks, header) : { compression: 0, bytesBehind: 0 };
  info.writeUInt32LE(isRunLength ? (RUN_LENGTHS[bits] as number) : fields.compression, 16);
  info.writeUInt32LE(bits <= 8 ? 2 ** bits : 0, 32);
  for (const [index, mask] of (masks ?? []).entries()) info.writeUInt32LE(mask, 40 + 4 * index);
  if (header >= 108) info.writeUInt32LE(SRGB, 56);
  return info.subarray(0, header + fields.bytesBehind);
}

/** BITMAPINFOHEADER has its masks behind it, and there the compression says whether one is for alpha. */
function maskFields(masks: Masks, header: number): { compression: number; bytesBehind: number } {
  if (header > 40) return { compression: BIT_FIELDS, bytesBehind: 0 };
  return masks[3] === 0
    ? { compression: BIT_FIELDS, bytesBehind: 12 }
    : { compression: ALPHA_BIT_FIELDS, bytesBehind: 16 };
}

function paletteOf(colours: number, entryBytes: number): Buffer {
  const palette = Buffer.alloc(colours * entryBytes);
  for (let index = 0; index < Math.min(colours, QUARTERS.length); index++) {
    const { r, g, b } = QUARTERS[index] as Colour;
    palette.set([b, g, r], index * entryBytes);
  }
  return palette;
}

/** Rows are padded to four bytes. */
function packed(indexes: readonly number[], { bits, alpha = 255, masks }: BmpKind): Buffer {
  const row = Buffer.alloc(Math.ceil((indexes.length * bits) / 32) * 4);
  const usual = bits === 16 ? MASKS_OF_16_BITS : USUAL_MASKS;
  for (const [x, index] of indexes.entries()) {
    const { r, g, b } = QUARTERS[index] as Colour;
    const values = [r, g, b, x < indexes.length / 2 ? alpha : 255];
    if (bits === 16) row.writeUInt16LE(masked(values, masks ?? usual), x * 2);
    else if (bits === 24) row.set([b, g, r], x * 3);
    else if (bits === 32) row.writeUInt32LE(masked(values, masks ?? usual), x * 4);
    else {
      const bit = x * bits;
      row[bit >> 3] = (row[bit >> 3] as number) | (index << (8 - bits - (bit & 7)));
    }
  }
  return row;
}

/** Returns a pixel that has each value in the bits of its mask. */
function masked(values: readonly number[], masks: Masks): number {
  return masks.reduce((pixel, mask, channel) => {
    if (mask === 0) return pixel;
    const unit = (mask & -mask) >>> 0;
    return pixel + Math.round(((values[channel] as number) / 255) * (mask / unit)) * unit;
  }, 0);
}

/** The left half of a row as pixels that are not repeated, the right half as one run, and an end of line. */
function runLengths(indexes: readonly number[], bits: number): Buffer {
  const half = indexes.length / 2;
  const pixels = Array.from({ length: half }, () => indexes[0] as number);
  const left = bits === 4 ? nibbles(pixels) : pixels.flatMap((index) => unit(index, bits));
  const filled = left.length % 2 === 0 ? left : [...left, 0];
  const right = indexes.at(-1) as number;
  return Buffer.from([0, half, ...filled, half, ...unit(bits === 4 ? right * 0x11 : right, bits), 0, 0]);
}

function unit(index: number, bits: number): number[] {
  if (bits !== 24) return [index];
  const { r, g, b } = QUARTERS[index] as Colour;
  return [b, g, r];
}

function nibbles(values: readonly number[]): number[] {
  return Array.from(
    { length: Math.ceil(values.length / 2) },
    (_, pair) => ((values[2 * pair] as number) << 4) | (values[2 * pair + 1] ?? 0),
  );
}

/** Writes a number into a file, in place. */
export function withInt32(file: Buffer, at: number, value: number): Buffer {
  file.writeInt32LE(value, at);
  return file;
}
