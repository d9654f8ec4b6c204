import { type BmpHeader, readDibHeader } from './bmp-header.ts';

/** A picture of an icon or a cursor. */
export interface IconPicture {
  /** A PNG as it is, or a BMP without its file header, which {@link readIconHeader} reads. */
  kind: 'png' | 'bmp';
  bytes: Uint8Array;
}

/** As the directory of the icon has it. */
interface Entry {
  width: number;
  height: number;
  /** Per pixel. */
  bits: number;
  at: number;
  bytes: number;
}

const HEADER_BYTES = 6;
const ENTRY_BYTES = 16;
const ICON = 1;
/** Icons have a dozen pictures at most. */
const MAX_PICTURES = 64;
const PNG_SIGNATURE = 0x89504e47;
/** Where BITMAPINFOHEADER has the height, and the bits per pixel. */
const DIB = { HEIGHT: 8, BITS: 14, BYTES: 40 };

/**
 * Returns the largest picture of an icon or a cursor, and of several that are as large the one with the most bits per pixel.
 *
 * @returns `undefined` if the file is damaged
 */
export function largestIconPicture(file: Buffer): IconPicture | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  const count = Math.min(file.readUInt16LE(4), MAX_PICTURES);
  const [largest] = Array.from({ length: count }, (_, index) => HEADER_BYTES + index * ENTRY_BYTES)
    .filter((place) => place + ENTRY_BYTES <= file.length)
    .map((place) => readEntry(file, place))
    .filter(({ at }) => at + DIB.BYTES < file.length)
    .sort((a, b) => b.width * b.height - a.width * a.height || b.bits - a.bits);
  if (!largest) return undefined;
  const { at, bytes } = largest;
  if (file.readUInt32BE(at) === PNG_SIGNATURE) return { kind: 'png', bytes: file.subarray(at, at + bytes) };
  // Its length in the directory is often wrong, and not needed.
  return { kind: 'bmp', bytes: withDoubleHeight(file.subarray(at), largest) };
}

function readEntry(file: Buffer, place: number): Entry {
  const at = file.readUInt32LE(place + 12);
  // A cursor has its hot spot in the place of the bits, and icons may have 0.
  const bits = file.readUInt16LE(2) === ICON ? file.readUInt16LE(place + 6) : 0;
  return {
    // A side of 256 pixels is stored as 0.
    width: file[place] || 256,
    height: file[place + 1] || 256,
    bits: bits || (at + DIB.BYTES < file.length ? file.readUInt16LE(at + DIB.BITS) : 0),
    at,
    bytes: file.readUInt32LE(place + 8),
  };
}

/** Returns a BMP whose header has twice the height, as it should for the mask, if it has the height alone and all pixels are there. */
function withDoubleHeight(dib: Buffer, { width, height }: Entry): Buffer {
  if (dib.readUInt32LE(0) < DIB.BYTES || dib.readInt32LE(DIB.HEIGHT) !== height) return dib;
  const header = readDibHeader(dib, 0);
  const bytes = header && header.pixelsAt + Math.ceil((width * header.bits) / 32) * 4 * height;
  if (!bytes || header.unsupported || bytes > dib.length) return dib;
  const doubled = Buffer.from(dib.subarray(0, bytes));
  doubled.writeInt32LE(2 * height, DIB.HEIGHT);
  return doubled;
}

/**
 * Reads the header of a BMP in an icon. The height in it is that of the colours and of the mask behind them, and 32 bits have alpha
 * whether there is a mask of bits for it or not.
 *
 * @returns `undefined` if it is damaged
 * @throws RangeError if the file ends within it
 */
export function readIconHeader(dib: Buffer): BmpHeader | undefined {
  const header = readDibHeader(dib, 0);
  if (!header || header.unsupported) return header;
  const { height, bits, masks } = header;
  const alpha = bits === 32 ? masks[3] || ~(masks[0] | masks[1] | masks[2]) >>> 0 : 0;
  return height < 2
    ? undefined
    : { ...header, height: height >> 1, masks: [masks[0], masks[1], masks[2], alpha] };
}
