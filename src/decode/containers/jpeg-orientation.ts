import { KeptParts } from './file-parts.ts';
import { JPEG, jpegSegments } from './jpeg-segments.ts';

const EXIF_NAME = 'Exif\0\0';

/** Returns a JPEG with this orientation, from 1 to 8, in place of the Exif that it had. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const rest = new KeptParts(jpeg);
  let at = 2;
  for (const { marker, start, end } of jpegSegments(jpeg, 'end')) {
    if (marker < JPEG.APP0 || marker > JPEG.APP15) break;
    const isExif = marker === JPEG.APP1 && jpeg.toString('latin1', start + 4, start + 10) === EXIF_NAME;
    if (!isExif) rest.add(start, end);
    at = end;
  }
  rest.add(at, jpeg.length);
  return Buffer.concat([jpeg.subarray(0, 2), exifSegment(orientation), rest.copy()]);
}

/** A TIFF with one directory of one entry: the tag Orientation (274), a SHORT. */
function exifSegment(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  const content = Buffer.concat([Buffer.from(EXIF_NAME, 'latin1'), tiff]);
  const header = Buffer.from([0xff, JPEG.APP1, 0, content.length + 2]);
  return Buffer.concat([header, content]);
}
