import { asBuffer } from './isobmff.ts';
import { tiffReader } from './tiff-directory.ts';

/** What stands before the TIFF in the segment of a JPEG, and in some files of other types. */
export const EXIF_NAME = Buffer.from('Exif\0\0', 'latin1');

const ORIENTATION = 274;
const FIRST = 1;
const LAST = 8;

/**
 * Reads the orientation of Exif (CIPA DC-008, section 4.6.5), which is a TIFF, with or without `EXIF_NAME` before it. Only its first
 * directory is read.
 *
 * @returns 1 to 8; 1, which is upright, if it is missing or another number
 */
export function readExifOrientation(exif: Uint8Array): number {
  const file = asBuffer(exif);
  const start = file.subarray(0, EXIF_NAME.length).equals(EXIF_NAME) ? EXIF_NAME.length : 0;
  const orientation = tiffReader(file, start).readFirst().get(ORIENTATION)?.[0] ?? FIRST;
  return orientation >= FIRST && orientation <= LAST ? orientation : FIRST;
}

/** Returns a TIFF with one directory of one entry, an orientation from 1 to 8. */
export function exifWithOrientation(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}
