import { asBuffer } from './isobmff.ts';

/** Where the file header of a BMP has the size of the file. */
const SIZE_AT = 2;

/** Returns a BMP whose header says its size. Programs write anything there, and others ignore it; ImageMagick does not. */
export function repairBmp(bytes: Uint8Array): Uint8Array {
  if (bytes.length < SIZE_AT + 4 || asBuffer(bytes).readUInt32LE(SIZE_AT) === bytes.length) return bytes;
  const repaired = Buffer.from(bytes);
  repaired.writeUInt32LE(bytes.length, SIZE_AT);
  return repaired;
}
