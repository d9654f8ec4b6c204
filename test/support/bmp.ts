import { QUARTERS } from './pictures.ts';

/** Kinds of BMP: bits per pixel, whether rows are from top to bottom, run lengths, and the version of the header. */
export interface BmpKind {
  bits: 1 | 4 | 8 | 16 | 24 | 32;
  isTopDown?: boolean;
  isRunLength?: boolean;
  /** The size of the header: 12 (OS/2), 40, 108 (V4) or 124 (V5). */
  header?: 12 | 40 | 108 | 124;
  /** Of the left half, for 32 bits. */
  alpha?: number;
}

type Colour = { r: number; g: number; b: number };

/** Values of biCompression: BI_RLE8, BI_RLE4, BI_BITFIELDS; and of bV5CSType: LCS_sRGB. */
const RUN_LENGTHS = { 8: 1, 4: 2 } as const;
const BIT_FIELDS = 3;
const SRGB = 0x73524742;
const RED_GREEN_BLUE_ALPHA_MASKS = [0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000];

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
  const { bits, isTopDown = false, isRunLength = false, header = 40, alpha = 255 } = kind;
  const info = header === 12 ? coreHeader(width, height, bits) : infoHeader(width, height, kind);
  const palette = bits <= 8 ? paletteOf(2 ** bits, header === 12 ? 3 : 4) : Buffer.alloc(0);
  const ys = Array.from({ length: height }, (_, row) => (isTopDown ? row : height - 1 - row));
  const rows = ys.map((y) => {
    const indexes = Array.from({ length: width }, (_, x) => indexAt(x, y, width, height, bits));
    return isRunLength ? runLengths(indexes, bits) : packed(indexes, bits, alpha);
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

/** BITMAPINFOHEADER, or one of its later versions, which have masks. */
function infoHeader(
  width: number,
  height: number,
  { bits, isTopDown, isRunLength, header = 40 }: BmpKind,
): Buffer {
  const info = Buffer.alloc(header);
  info.writeUInt32LE(header);
  info.writeInt32LE(width, 4);
  info.writeInt32LE(isTopDown ? -height : height, 8);
  info.writeUInt16LE(1, 12);
  info.writeUInt16LE(bits, 14);
  const hasMasks = header > 40 && bits === 32;
  info.writeUInt32LE(isRunLength ? RUN_LENGTHS[bits === 8 ? 8 : 4] : hasMasks ? BIT_FIELDS : 0, 16);
  info.writeUInt32LE(bits <= 8 ? 2 ** bits : 0, 32);
  if (header > 40) {
    for (const [index, mask] of RED_GREEN_BLUE_ALPHA_MASKS.entries())
      info.writeUInt32LE(mask, 40 + 4 * index);
    info.writeUInt32LE(SRGB, 56);
  }
  return info;
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
function packed(indexes: readonly number[], bits: number, alpha: number): Buffer {
  const row = Buffer.alloc(Math.ceil((indexes.length * bits) / 32) * 4);
  for (const [x, index] of indexes.entries()) {
    const { r, g, b } = QUARTERS[index] as Colour;
    if (bits === 16) row.writeUInt16LE(((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3), x * 2);
    else if (bits === 24) row.set([b, g, r], x * 3);
    else if (bits === 32) row.set([b, g, r, x < indexes.length / 2 ? alpha : 255], x * 4);
    else {
      const bit = x * bits;
      row[bit >> 3] = (row[bit >> 3] as number) | (index << (8 - bits - (bit & 7)));
    }
  }
  return row;
}

/** Two runs a row, and an end of line. */
function runLengths(indexes: readonly number[], bits: number): Buffer {
  const half = indexes.length / 2;
  const value = (index: number) => (bits === 4 ? index * 0x11 : index);
  return Buffer.from([half, value(indexes[0] as number), half, value(indexes.at(-1) as number), 0, 0]);
}

/** A picture of an icon, with its size. */
export interface IconEntry {
  width: number;
  height: number;
  bytes: Buffer;
}

/** Returns a BMP as icons have it: with twice the height in its header, and a mask, in which nothing is transparent. */
export function iconBmp(width: number, height: number, bits: 8 | 24 | 32): IconEntry {
  const { bytes } = bmpWithoutFileHeader(width, height, { bits });
  bytes.writeInt32LE(2 * height, 8);
  return { width, height, bytes: Buffer.concat([bytes, Buffer.alloc(Math.ceil(width / 32) * 4 * height)]) };
}

/** Makes an icon, or a cursor, which has a hot spot. */
export function icon(entries: readonly IconEntry[], kind: 'icon' | 'cursor' = 'icon'): Buffer {
  const header = Buffer.alloc(6 + 16 * entries.length);
  header.writeUInt16LE(kind === 'icon' ? 1 : 2, 2);
  header.writeUInt16LE(entries.length, 4);
  let at = header.length;
  for (const [index, { width, height, bytes }] of entries.entries()) {
    const entry = 6 + 16 * index;
    header.set([width & 0xff, height & 0xff], entry);
    header.writeUInt16LE(kind === 'icon' ? 1 : 7, entry + 4);
    header.writeUInt16LE(kind === 'icon' ? 24 : 9, entry + 6);
    header.writeUInt32LE(bytes.length, entry + 8);
    header.writeUInt32LE(at, entry + 12);
    at += bytes.length;
  }
  return Buffer.concat([header, ...entries.map(({ bytes }) => bytes)]);
}
