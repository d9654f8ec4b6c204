import { EXIF_NAME, exifWithOrientation } from './exif-orientation.ts';
import { KeptParts } from './file-parts.ts';
import { JPEG, jpegSegments } from './jpeg-segments.ts';

/** Returns a JPEG with this orientation, from 1 to 8, in place of the Exif that it had. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const rest = new KeptParts(jpeg);
  let at = 2;
  for (const { marker, start, end } of jpegSegments(jpeg, 'end')) {
    if (marker < JPEG.APP0 || marker > JPEG.APP15) break;
    if (!isExif(jpeg, marker, start)) rest.add(start, end);
    at = end;
  }
  rest.add(at, jpeg.length);
  return Buffer.concat([jpeg.subarray(0, 2), orientationSegment(orientation), ...rest.parts()]);
}

/** Whether the segment that begins here holds Exif. */
export function isExif(jpeg: Buffer, marker: number, start: number): boolean {
  return marker === JPEG.APP1 && EXIF_NAME.equals(jpeg.subarray(start + 4, start + 4 + EXIF_NAME.length));
}

/** Returns a segment with an orientation, from 1 to 8, and nothing else. */
export function orientationSegment(orientation: number): Buffer {
  const content = Buffer.concat([EXIF_NAME, exifWithOrientation(orientation)]);
  const header = Buffer.from([0xff, JPEG.APP1, 0, content.length + 2]);
  return Buffer.concat([header, content]);
}
