import { WalkLimit } from './file-parts.ts';
import { asBuffer } from './isobmff.ts';

/** Markers (ITU-T T.81, table B.1), and a mark for the data of a scan, which have none. */
export const JPEG = {
  SCAN_DATA: 0,
  TEM: 0x01,
  /** The frames that phones decode; others are lossless, hierarchical or with arithmetic coding. */
  BASELINE: 0xc0,
  EXTENDED: 0xc1,
  PROGRESSIVE: 0xc2,
  DHT: 0xc4,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DRI: 0xdd,
  APP0: 0xe0,
  APP1: 0xe1,
  APP2: 0xe2,
  APP14: 0xee,
  APP15: 0xef,
  COM: 0xfe,
} as const;

/**
 * A segment of a JPEG: its marker, the two bytes of its length, and its contents; or the data of a scan; or the end of the image, or a second
 * start, which are markers only.
 */
export interface JpegSegment {
  marker: number;
  /** Its bytes in the file, marker included; `end` is exclusive, and not beyond the end of the file. */
  start: number;
  end: number;
}

/** Markers without a length, besides restarts. */
const ALONE: readonly number[] = [JPEG.TEM, JPEG.SOI, JPEG.EOI];

/**
 * Walks over the segments of a JPEG behind its start, up to the end of the image. The data of a scan, with its restart markers, follow the
 * segment of its header. They are only searched for their end when the walk goes on.
 *
 * It ends without `EOI` before a segment that is cut off.
 *
 * @param strays - of bytes that belong to no segment, fill bytes, markers that stand alone and lengths below 2: `skip` goes on at the
 * next marker, as libjpeg does, and `end` ends the walk
 * @throws EdgepressError `source_too_large` for countless segments
 */
export function* jpegSegments(bytes: Uint8Array, strays: 'end' | 'skip'): Generator<JpegSegment> {
  const file = asBuffer(bytes);
  const limit = new WalkLimit();
  let at = 2;
  while (true) {
    limit.countPart();
    const segment = readSegment(file, strays === 'skip' ? nextMarker(file, at, limit) : at);
    if (!segment || (strays === 'end' && isStray(segment))) return;
    at = segment.end;
    if (!isStray(segment)) yield segment;
    if (segment.marker === JPEG.EOI) return;
    if (segment.marker !== JPEG.SOS || isStray(segment)) continue;
    const end = nextMarker(file, at, limit);
    yield { marker: JPEG.SCAN_DATA, start: at, end };
    at = end;
  }
}

/** Returns the segment that begins here; `undefined` if there is none, or if it is cut off. */
function readSegment(file: Buffer, start: number): JpegSegment | undefined {
  const marker = file[start + 1];
  if (file[start] !== 0xff || !isMarker(marker)) return undefined;
  if (ALONE.includes(marker)) return { marker, start, end: start + 2 };
  if (start + 4 > file.length) return undefined;
  const end = start + 2 + file.readUInt16BE(start + 2);
  return end > file.length ? undefined : { marker, start, end };
}

/** A marker that stands alone, or one with a length that does not even count itself. */
function isStray({ marker, start, end }: JpegSegment): boolean {
  return end < start + 4 && marker !== JPEG.EOI && marker !== JPEG.SOI;
}

/** Returns where the next marker is that is neither a stuffed byte, nor a fill byte, nor a restart; the end of the file if there is none. */
function nextMarker(file: Buffer, from: number, limit: WalkLimit): number {
  for (let at = file.indexOf(0xff, from); at >= 0; at = file.indexOf(0xff, at + 1)) {
    while (file[at + 1] === 0xff) at++;
    if (isMarker(file[at + 1])) return at;
    limit.count();
  }
  return file.length;
}

function isMarker(code: number | undefined): code is number {
  if (code === undefined || code === 0 || code === 0xff) return false;
  return code < JPEG.RST0 || code > JPEG.RST7;
}
