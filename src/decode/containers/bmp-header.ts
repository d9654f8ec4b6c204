import type { Size } from '../size.ts';

/** The bits of each channel in a pixel of 16 or 32 bits; 0 for a channel that is not there. */
export type BmpMasks = readonly [red: number, green: number, blue: number, alpha: number];

export type BmpCompression = 'none' | 'masks' | 'runs4' | 'runs8' | 'runs24';

/** What the header of a BMP says. Positions are those in the file. */
export interface BmpHeader extends Size {
  isTopDown: boolean;
  bits: number;
  /** `undefined` if it is not supported, or not with so many bits. */
  compression: BmpCompression | undefined;
  masks: BmpMasks;
  palette: { at: number; entryBytes: 3 | 4; colours: number };
  pixelsAt: number;
  iccProfile: Buffer | undefined;
  /** What makes it a BMP that is not supported; `undefined` if it is. */
  unsupported: string | undefined;
}

const FILE_HEADER_BYTES = 14;
/** BITMAPCOREHEADER, BITMAPINFOHEADER, and its versions with masks, with one for alpha, 4 and 5. */
const CORE = 12;
const INFO = 40;
const V2 = 52;
const V3 = 56;
const V4 = 108;
const V5 = 124;
/** The header of OS/2 2.0 may be cut off behind any of its fields. */
const OS2 = { shortest: 16, longest: 64 };

/** Values of Compression. OS/2 2.0 has other meanings for 3 and 4. */
const COMPRESSIONS: Readonly<Record<number, BmpCompression>> = {
  0: 'none',
  1: 'runs8',
  2: 'runs4',
  3: 'masks',
  6: 'masks',
};
const OS2_COMPRESSIONS: Readonly<Record<number, BmpCompression>> = {
  0: 'none',
  1: 'runs8',
  2: 'runs4',
  4: 'runs24',
};
const BI_RGB = 0;
const BI_ALPHABITFIELDS = 6;
const NAMES: Readonly<Record<number, string>> = { 4: 'a JPEG inside', 5: 'a PNG inside' };
const HUFFMAN = 3;

const BITS: Readonly<Record<BmpCompression, readonly number[]>> = {
  none: [1, 2, 4, 8, 16, 24, 32],
  masks: [16, 32],
  runs4: [4],
  runs8: [8],
  runs24: [24],
};
const CORE_BITS = [1, 4, 8, 24];

/** What pixels without masks in the header are: X1R5G5B5 and X8R8G8B8. */
const MASKS_OF_16_BITS: BmpMasks = [0x7c00, 0x03e0, 0x001f, 0];
const MASKS_OF_32_BITS: BmpMasks = [0xff0000, 0x00ff00, 0x0000ff, 0];
const ALPHA_OF_32_BITS = 0xff000000;

/** The value of ColorSpace in version 5 for a profile in the file: `MBED`. */
const PROFILE_EMBEDDED = 0x4d424544;
/** The header of a profile (ICC.1:2022, section 7.2). */
const MIN_PROFILE_BYTES = 128;

/**
 * Reads the header of a BMP: of OS/2 1.x and 2.x, and Windows' versions up to 5.
 *
 * @returns `undefined` if it is damaged
 * @throws RangeError if the file ends within it
 */
export function readBmpHeader(file: Buffer): BmpHeader | undefined {
  const header = readDibHeader(file, FILE_HEADER_BYTES);
  return header && { ...header, pixelsAt: file.readUInt32LE(10) };
}

/**
 * Reads the header of a BMP without its file header, as icons have it: the pixels follow the palette.
 *
 * @param at - where it begins
 */
export function readDibHeader(file: Buffer, at: number): BmpHeader | undefined {
  const bytes = file.readUInt32LE(at);
  const isCore = bytes === CORE;
  const width = isCore ? file.readUInt16LE(at + 4) : file.readInt32LE(at + 4);
  const height = isCore ? file.readUInt16LE(at + 6) : file.readInt32LE(at + 8);
  const bits = file.readUInt16LE(at + (isCore ? 10 : 14));
  const compression = bytes >= 20 ? file.readUInt32LE(at + 16) : BI_RGB;
  const unsupported = unsupportedPart(bytes, bits, compression);
  if (!unsupported && (width <= 0 || height === 0)) return undefined;
  const masks = readMasks(file, { at, bytes, bits, compression });
  const colours = readColourCount(bytes >= 36 ? file.readUInt32LE(at + 32) : 0, bits);
  const entryBytes = isCore ? 3 : 4;
  const paletteAt = at + bytes + (bytes === INFO ? maskBytes(compression) : 0);
  return {
    width,
    height: Math.abs(height),
    isTopDown: height < 0,
    bits,
    compression: (isOs2(bytes) ? OS2_COMPRESSIONS : COMPRESSIONS)[compression],
    masks,
    palette: { at: paletteAt, entryBytes, colours },
    pixelsAt: paletteAt + colours * entryBytes,
    iccProfile: readProfile(file, at, bytes),
    unsupported:
      unsupported ??
      (masks.every((mask) => isRun(mask, bits))
        ? undefined
        : 'masks whose bits are apart or beyond the pixel'),
  };
}

/** Whether a header is none of Windows'. */
function isOs2(bytes: number): boolean {
  return bytes >= OS2.shortest && bytes <= OS2.longest && ![INFO, V2, V3].includes(bytes);
}

function unsupportedPart(bytes: number, bits: number, compression: number): string | undefined {
  const isKnown = [CORE, INFO, V2, V3, V4, V5].includes(bytes) || isOs2(bytes);
  if (!isKnown) return `a header of ${bytes} bytes`;
  if (isOs2(bytes) && compression === HUFFMAN) return 'Huffman compression';
  const kind = (isOs2(bytes) ? OS2_COMPRESSIONS : COMPRESSIONS)[compression];
  if (!kind) return NAMES[compression] ?? `compression ${compression}`;
  if ((bytes === CORE ? CORE_BITS : BITS[kind]).includes(bits)) return undefined;
  return kind === 'none' ? `${bits} bits a pixel` : `compression ${compression} and ${bits} bits a pixel`;
}

/** Of the masks behind BITMAPINFOHEADER. */
function maskBytes(compression: number): number {
  if (compression === BI_ALPHABITFIELDS) return 16;
  return COMPRESSIONS[compression] === 'masks' ? 12 : 0;
}

interface MaskFields {
  at: number;
  bytes: number;
  bits: number;
  compression: number;
}

/** Browsers take alpha from a mask in the header, but without other masks only from headers of version 4 and 5. */
function readMasks(file: Buffer, { at, bytes, bits, compression }: MaskFields): BmpMasks {
  const masksAt = at + INFO;
  if (!isOs2(bytes) && COMPRESSIONS[compression] === 'masks' && bytes >= INFO) {
    const hasAlpha = bytes >= V3 || (bytes === INFO && compression === BI_ALPHABITFIELDS);
    const [red, green, blue] = [0, 4, 8].map((place) => file.readUInt32LE(masksAt + place));
    return [red as number, green as number, blue as number, hasAlpha ? file.readUInt32LE(masksAt + 12) : 0];
  }
  if (bits === 16) return MASKS_OF_16_BITS;
  const hasAlpha = bits === 32 && bytes >= V4 && file.readUInt32LE(masksAt + 12) !== 0;
  const [red, green, blue] = MASKS_OF_32_BITS;
  return [red, green, blue, hasAlpha ? ALPHA_OF_32_BITS : 0];
}

/** Whether the bits of a mask are next to each other and within a pixel. */
function isRun(mask: number, bits: number): boolean {
  const lowest = mask & -mask;
  const isWithin = bits === 32 || bits !== 16 || mask <= 0xffff;
  return mask === 0 || (isWithin && Number.isInteger(Math.log2(mask / (lowest >>> 0) + 1)));
}

/** More colours than the bits allow are ignored, and so are those of pixels that need none. */
function readColourCount(used: number, bits: number): number {
  if (bits > 8) return 0;
  return Math.min(used || 2 ** bits, 2 ** bits);
}

function readProfile(file: Buffer, at: number, bytes: number): Buffer | undefined {
  if (bytes < V5 || file.readUInt32LE(at + 56) !== PROFILE_EMBEDDED) return undefined;
  const from = at + file.readUInt32LE(at + 112);
  const profileBytes = file.readUInt32LE(at + 116);
  const isWhole = profileBytes >= MIN_PROFILE_BYTES && from + profileBytes <= file.length;
  return isWhole ? file.subarray(from, from + profileBytes) : undefined;
}
