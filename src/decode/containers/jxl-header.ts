import type { Size } from '../size.ts';
import { boxesIn } from './isobmff.ts';

/** Widths as multiples of the height, by the ratio field of SizeHeader (ISO/IEC 18181-1, section D.2). */
const RATIOS = [undefined, 1, 12 / 10, 4 / 3, 3 / 2, 16 / 9, 5 / 4, 2 / 1] as const;
/** Numbers of bits that a side takes, by a selector of two bits. */
const SIDE_BITS = [9, 13, 18, 30];
/** From this orientation on, width and height are exchanged. */
const FIRST_TRANSPOSED = 5;
/** The fields that are read take fewer bytes. */
const HEADER_BYTES = 24;

/** Reads the size of an upright JPEG XL, and its orientation, from its SizeHeader and the orientation that follows it (ISO/IEC 18181-1, annex D). */
export function readJxlSize(file: Buffer): (Size & { orientation: number }) | undefined {
  const header = codestreamStart(file);
  if (header[0] !== 0xff || header[1] !== 0x0a) return undefined;
  const read = bitReader(header.subarray(2));
  const size = readSizeHeader(read);
  const isDefault = read(1) === 1;
  const hasExtraFields = !isDefault && read(1) === 1;
  const orientation = hasExtraFields ? 1 + read(3) : 1;
  const { width, height } = size;
  return orientation < FIRST_TRANSPOSED
    ? { width, height, orientation }
    : { width: height, height: width, orientation };
}

/** The codestream is the file, or in a box, which may be split into parts that each begin with their number. */
function codestreamStart(file: Buffer): Buffer {
  if (file[0] === 0xff) return file.subarray(0, HEADER_BYTES);
  const parts = boxesIn(file).flatMap(({ type, start, end }) => {
    if (type === 'jxlc') return [file.subarray(start, end)];
    return type === 'jxlp' ? [file.subarray(start + 4, end)] : [];
  });
  return Buffer.concat(parts.slice(0, HEADER_BYTES).map((part) => part.subarray(0, HEADER_BYTES)));
}

function readSizeHeader(read: (bits: number) => number): Size {
  const isSmall = read(1) === 1;
  const readSide = () => (isSmall ? 8 * (1 + read(5)) : 1 + read(SIDE_BITS[read(2)] as number));
  const height = readSide();
  const ratio = RATIOS[read(3)];
  return { height, width: ratio === undefined ? readSide() : Math.floor(height * ratio) };
}

/** @returns a function that reads the next bits, the least significant one first. @throws RangeError beyond the end */
function bitReader(bytes: Buffer): (bits: number) => number {
  let at = 0;
  return (bits) => {
    let value = 0;
    for (let bit = 0; bit < bits; bit++, at++)
      value += ((bytes.readUInt8(at >> 3) >> (at & 7)) & 1) * 2 ** bit;
    return value;
  };
}
