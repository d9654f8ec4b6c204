import { EdgepressError } from '../../protocol/error.ts';
import { asBuffer } from '../containers/isobmff.ts';

/** Field types of TIFF 6.0 (section 2) and BigTIFF, with the bytes of one value. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};
/** Tags of TIFF 6.0 and its supplements that decoding needs. */
export const TIFF_TAG = {
  WIDTH: 256,
  HEIGHT: 257,
  BITS: 258,
  COMPRESSION: 259,
  PHOTOMETRIC: 262,
  FILL_ORDER: 266,
  STRIP_OFFSETS: 273,
  ORIENTATION: 274,
  SAMPLES: 277,
  ROWS_PER_STRIP: 278,
  STRIP_BYTES: 279,
  PLANAR: 284,
  T4_OPTIONS: 292,
  T6_OPTIONS: 293,
  PREDICTOR: 317,
  WHITE_POINT: 318,
  COLOUR_MAP: 320,
  TILE_WIDTH: 322,
  TILE_HEIGHT: 323,
  TILE_OFFSETS: 324,
  TILE_BYTES: 325,
  INK_SET: 332,
  EXTRA_SAMPLES: 338,
  SAMPLE_FORMAT: 339,
  JPEG_TABLES: 347,
  YCBCR_COEFFICIENTS: 529,
  SUBSAMPLING: 530,
  SUBSAMPLING_POSITION: 531,
  REFERENCE_BLACK_WHITE: 532,
  ICC_PROFILE: 34_675,
} as const;

/** BYTE, SHORT, LONG, IFD and LONG8: the types of whole numbers. */
const WHOLE_NUMBERS = [1, 3, 4, 13, 16];
/** Strips or tiles of a large image: 25 megapixels in the smallest tiles that there are, of 16 by 16, have 98,000. */
const MAX_VALUES = 100_000;

/** An entry of a directory: one tag and its values. */
export interface TiffEntry {
  tag: number;
  type: number;
  count: number;
  /** The bytes of the values; shorter than `count` says if the file ends before them. */
  data: Buffer;
}

/** The first directory of a TIFF, classic or Big: that of the picture that is shown. */
export interface TiffEntries {
  isLittle: boolean;
  isBig: boolean;
  /** In the order of the file. */
  entries: TiffEntry[];
}

/** Returns the first directory of a TIFF; `undefined` if it is not inside the file. */
export function readTiffEntries(bytes: Uint8Array): TiffEntries | undefined {
  const file = asBuffer(bytes);
  if (file.length < 16) return undefined;
  const isLittle = file[0] === 0x49;
  const isBig = file[isLittle ? 2 : 3] === 43;
  const read = numberReader(file, isLittle);
  const wordBytes = isBig ? 8 : 4;
  const start = read(isBig ? 8 : 4, wordBytes);
  const countBytes = isBig ? 8 : 2;
  if (start + countBytes > file.length) return undefined;
  const count = read(start, countBytes);
  const entryBytes = 4 + 2 * wordBytes;
  if (count > 4096 || start + countBytes + count * entryBytes > file.length) return undefined;
  const entries: TiffEntry[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + countBytes + index * entryBytes;
    const [tag, type, values] = [read(at, 2), read(at + 2, 2), read(at + 4, wordBytes)];
    const length = values * (TYPE_BYTES[type] ?? 0);
    const dataAt = length <= wordBytes ? at + 4 + wordBytes : read(at + 4 + wordBytes, wordBytes);
    entries.push({ tag, type, count: values, data: file.subarray(dataAt, dataAt + length) });
  }
  return { isLittle, isBig, entries };
}

/**
 * Returns the whole numbers of a tag; none if it is missing, of another type or not inside the file.
 *
 * @throws EdgepressError `source_too_large` for more numbers than an image has strips or tiles
 */
export function tiffNumbers({ entries, isLittle }: TiffEntries, tag: number): number[] {
  const entry = entries.find((one) => one.tag === tag);
  const bytes = TYPE_BYTES[entry?.type ?? 0] ?? 0;
  if (!entry || !WHOLE_NUMBERS.includes(entry.type) || entry.data.length < entry.count * bytes) return [];
  if (entry.count > MAX_VALUES) {
    const detail = `The tiff image has ${entry.count} values of tag ${tag}; at most ${MAX_VALUES} strips or tiles are allowed`;
    throw new EdgepressError('source_too_large', detail);
  }
  const read = numberReader(entry.data, isLittle);
  return Array.from({ length: entry.count }, (_, index) => read(index * bytes, bytes));
}

/** Returns a function that reads an unsigned number of 1, 2, 4 or 8 bytes. */
function numberReader(file: Buffer, isLittle: boolean): (at: number, bytes: number) => number {
  return (at, bytes) => {
    if (bytes === 8) return Number(isLittle ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));
    return isLittle ? file.readUIntLE(at, bytes) : file.readUIntBE(at, bytes);
  };
}

/** Returns an entry of SHORT (type 3) or LONG (type 4) numbers. */
export function numbersEntry(
  isLittle: boolean,
  tag: number,
  type: 3 | 4,
  values: readonly number[],
): TiffEntry {
  const bytes = type === 3 ? 2 : 4;
  const data = Buffer.alloc(bytes * values.length);
  for (const [index, value] of values.entries()) {
    // A larger one is nonsense, which decoders then find.
    const written = Math.min(value, 256 ** bytes - 1);
    if (isLittle) data.writeUIntLE(written, index * bytes, bytes);
    else data.writeUIntBE(written, index * bytes, bytes);
  }
  return { tag, type, count: values.length, data };
}

/** Returns a copy of a TIFF in which another directory, at its end, is the only one. Offsets in it stay as they are. */
export function withTiffEntries(bytes: Uint8Array, directory: TiffEntries): Buffer {
  const { isLittle, isBig, entries } = directory;
  const wordBytes = isBig ? 8 : 4;
  const start = Math.ceil(bytes.length / 8) * 8;
  const header = Buffer.alloc((isBig ? 8 : 2) + entries.length * (4 + 2 * wordBytes) + wordBytes);
  const outside: Buffer[] = [];
  let [at, dataAt] = [0, start + header.length];
  const write = (value: number, size: number) => {
    if (size === 8)
      isLittle ? header.writeBigUInt64LE(BigInt(value), at) : header.writeBigUInt64BE(BigInt(value), at);
    else isLittle ? header.writeUIntLE(value, at, size) : header.writeUIntBE(value, at, size);
    at += size;
  };
  write(entries.length, isBig ? 8 : 2);
  for (const { tag, type, count, data } of [...entries].sort((a, b) => a.tag - b.tag)) {
    write(tag, 2);
    write(type, 2);
    write(count, wordBytes);
    if (data.length <= wordBytes) {
      data.copy(header, at);
      at += wordBytes;
      continue;
    }
    write(dataAt, wordBytes);
    const padded = Buffer.alloc(Math.ceil(data.length / 2) * 2);
    data.copy(padded);
    outside.push(padded);
    dataAt += padded.length;
  }
  const file = Buffer.concat([bytes, Buffer.alloc(start - bytes.length), header, ...outside]);
  if (isBig) isLittle ? file.writeBigUInt64LE(BigInt(start), 8) : file.writeBigUInt64BE(BigInt(start), 8);
  else isLittle ? file.writeUInt32LE(start, 4) : file.writeUInt32BE(start, 4);
  return file;
}
