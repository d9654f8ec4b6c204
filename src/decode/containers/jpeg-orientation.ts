/** The start of the application segment that holds Exif. */
const EXIF = 0xe1;
const EXIF_NAME = 'Exif\0\0';

/** Returns a JPEG with this orientation, from 1 to 8, in place of the Exif that it had. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const rest: Buffer[] = [];
  let at = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff && isApplicationSegment(jpeg[at + 1] as number)) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    const isExif = jpeg[at + 1] === EXIF && jpeg.toString('latin1', at + 4, at + 10) === EXIF_NAME;
    if (!isExif) rest.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([jpeg.subarray(0, 2), exifSegment(orientation), ...rest, jpeg.subarray(at)]);
}

function isApplicationSegment(marker: number): boolean {
  return marker >= 0xe0 && marker <= 0xef;
}

/** A TIFF with one directory of one entry: the tag Orientation (274), a SHORT. */
function exifSegment(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  const content = Buffer.concat([Buffer.from(EXIF_NAME, 'latin1'), tiff]);
  const header = Buffer.from([0xff, EXIF, 0, content.length + 2]);
  return Buffer.concat([header, content]);
}
