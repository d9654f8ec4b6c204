/** A number in a file that may be a length, an offset or a count. */
export interface FoundInteger {
  at: number;
  bytes: 2 | 4;
  isLittle: boolean;
  value: number;
}

/** How far into a file, and how far from its end, numbers are looked for: between are mostly pixels. */
const SEARCHED_BYTES = 8192;
const JPEG_MARKER = 0xff;
/** SOF0 (ITU-T T.81, table B.1): markers from here on have a length. */
const LEAST_OF_SEGMENTS = 0xc0;
const MAX_SMALL = 255;

/**
 * Finds the numbers in a file that may be lengths, offsets or counts, whatever its format: 32 bits that name a place in the file, and 16 bits
 * after a marker of JPEG, or that are small in either byte order. In compressed data few are.
 */
export function findIntegers(file: Buffer): FoundInteger[] {
  const isSearched = (at: number) => at < SEARCHED_BYTES || at >= file.length - SEARCHED_BYTES;
  const found: FoundInteger[] = [];
  for (let at = 0; at + 2 <= file.length; at++) {
    if (!isSearched(at)) continue;
    for (const isLittle of [false, true]) {
      if (at + 4 <= file.length) found.push(...placeAt(file, at, isLittle));
      found.push(...smallAt(file, at, isLittle));
    }
  }
  return found;
}

function placeAt(file: Buffer, at: number, isLittle: boolean): FoundInteger[] {
  const value = isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at);
  return value > 0 && value <= file.length ? [{ at, bytes: 4, isLittle, value }] : [];
}

function smallAt(file: Buffer, at: number, isLittle: boolean): FoundInteger[] {
  const value = isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at);
  const isOfSegment = !isLittle && file[at - 2] === JPEG_MARKER && (file[at - 1] ?? 0) >= LEAST_OF_SEGMENTS;
  return isOfSegment || (value > 0 && value <= MAX_SMALL) ? [{ at, bytes: 2, isLittle, value }] : [];
}

/** Returns the file with another value of a number; only the lowest bits that fit. */
export function writeInteger(file: Buffer, { at, bytes, isLittle }: FoundInteger, value: number): Buffer {
  const changed = Buffer.from(file);
  const bits = bytes === 4 ? value >>> 0 : value & 0xffff;
  if (isLittle) changed.writeUIntLE(bits, at, bytes);
  else changed.writeUIntBE(bits, at, bytes);
  return changed;
}
