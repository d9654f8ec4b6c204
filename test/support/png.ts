import { crc32, deflateSync } from 'node:zlib';

export type Rgb = readonly [r: number, g: number, b: number];

/** The colour types of PNG (third edition, section 11.2.1), and the number of channels of each. */
const COLOUR_TYPES = {
  grey: { code: 0, channels: 1 },
  rgb: { code: 2, channels: 3 },
  palette: { code: 3, channels: 1 },
  'grey with alpha': { code: 4, channels: 2 },
  'rgb with alpha': { code: 6, channels: 4 },
} as const;

export interface PngRecipe {
  /** Between the header and the pixels. */
  chunks?: readonly Buffer[];
  depth?: 8 | 16;
  /** Grey has the green of each colour. */
  type?: keyof typeof COLOUR_TYPES;
}

/** The width and height of the square of each colour, in pixels. */
export const SQUARE = 16;

/** Writes a PNG with a square for each colour, from left to right. */
export function writePng(
  colours: readonly Rgb[],
  { chunks = [], depth = 8, type = 'rgb' }: PngRecipe,
): Buffer {
  const { code } = COLOUR_TYPES[type];
  const bytes = depth / 8;
  const row = colours.flatMap((colour, index) => {
    const values = type === 'palette' ? [index] : samplesOf(colour, type);
    return Array(SQUARE)
      .fill(values.flatMap((value) => Array<number>(bytes).fill(value)))
      .flat();
  });
  const rows = Array(SQUARE)
    .fill([0, ...row])
    .flat();
  const header = Buffer.concat([
    numbers(SQUARE * colours.length, SQUARE),
    Buffer.from([depth, code, 0, 0, 0]),
  ]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...chunks,
    ...(type === 'palette' ? [chunk('PLTE', Buffer.from(colours.flat()))] : []),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND'),
  ]);
}

function samplesOf([r, g, b]: Rgb, type: keyof typeof COLOUR_TYPES): number[] {
  const samples = type.startsWith('grey') ? [g] : [r, g, b];
  return type.endsWith('alpha') ? [...samples, 255] : samples;
}

/** Returns a chunk of a PNG, with its length and checksum. */
export function chunk(type: string, ...content: Uint8Array[]): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), ...content]);
  return Buffer.concat([numbers(typed.length - 4), typed, numbers(crc32(typed))]);
}

/** Returns numbers of 32 bits, as PNG writes them. */
export function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, 4 * index);
  });
  return bytes;
}

/** Colours by code points of ITU-T H.273. */
export const cicp = (primaries: number, transfer: number, range = 1) =>
  chunk('cICP', Uint8Array.of(primaries, transfer, 0, range));
export const gama = (gamma: number) => chunk('gAMA', numbers(Math.round(gamma * 100_000)));
export const iccp = (profile: Uint8Array) =>
  chunk('iCCP', Buffer.from('profile\0\0', 'latin1'), deflateSync(profile));
export const SRGB_CHUNK = chunk('sRGB', Uint8Array.of(0));
/** The chromaticities of Display P3. */
export const CHRM_P3 = chunk('cHRM', numbers(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000));
