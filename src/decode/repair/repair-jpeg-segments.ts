// Repairs faults of JPEG segments that libjpeg only warns of, and that are shown whole everywhere. They are read as libjpeg reads
// them, so that what is repaired looks as it did before.
import { asBuffer } from '../containers/isobmff.ts';
import { JPEG, type JpegSegment, jpegSegments } from '../containers/jpeg-segments.ts';
import { type Frame, isEveryScanThere, readFrame, readScan, type Scan } from './jpeg-headers.ts';
import { standardHuffmanTables } from './jpeg-huffman.ts';

/** A JPEG with repaired segments. */
export interface RepairedJpeg {
  /** The same bytes if there is nothing to repair, or if the segments are not those of a whole image. */
  bytes: Uint8Array;
  /** Where the data of the first scan begin; `undefined` if the segments before it are damaged. */
  scansAt: number | undefined;
  isProgressive: boolean;
  /** Whether the file had its end. */
  isEnded: boolean;
}

/**
 * Repairs the harmless faults of the segments of a JPEG: bytes between them that belong to none (a wrong length of the segment before),
 * markers that stand alone, spectral parameters of a sequential scan, the version of JFIF, an unknown colour transform of Adobe, Huffman
 * tables that frames of Motion JPEG leave out, and a missing end where all scans are there.
 *
 * Damage stays. The cost is that of the segments before the first scan; the scans are only searched for their ends if the file does not end
 * with the marker for it, or has several sequential scans.
 */
export function repairJpegSegments(bytes: Uint8Array): RepairedJpeg {
  const file = asBuffer(bytes);
  const header = repairHeader(file);
  if (!header) return { bytes, scansAt: undefined, isProgressive: false, isEnded: false };
  const { frame, scan, parts, scansAt } = header;
  const { isProgressive } = frame;
  const isEndSeen = file.readUInt16BE(file.length - 2) === 0xff00 + JPEG.EOI;
  const isRead = isEndSeen && (isProgressive || scan.components.length === frame.components);
  const { isEnded, scans } = isRead ? { isEnded: true, scans: [] } : repairScans(file, header);
  if (!header.isRepaired && scans.length === 0) return { bytes, scansAt, isProgressive, isEnded };
  const newScansAt = parts.reduce((sum, part) => sum + part.length, 0);
  const repaired = Buffer.concat([...parts, ...(scans.length > 0 ? scans : [file.subarray(scansAt)])]);
  return { bytes: repaired, scansAt: newScansAt, isProgressive, isEnded };
}

/** The bytes of the header of a scan of one component, with its marker. */
const SMALLEST_SCAN_HEADER = 10;

interface Header {
  frame: Frame;
  scan: Scan;
  /** The repaired segments up to the data of the first scan. */
  parts: Buffer[];
  isRepaired: boolean;
  /** Where the data of the first scan begin. */
  scansAt: number;
}

/** Reads the segments up to the first scan; `undefined` if there is none or a segment is one that decoders reject. */
function repairHeader(file: Buffer): Header | undefined {
  const frame: Frame = { isProgressive: false, components: 0, tables: new Set() };
  const parts = [file.subarray(0, 2)];
  let isRepaired = false;
  let at = 2;
  for (const { marker, start, end } of jpegSegments(file, 'skip')) {
    if (marker === JPEG.SOI) return undefined;
    const segment = file.subarray(start, end);
    const repaired = repairSegment(marker, segment, frame);
    isRepaired ||= start > at || repaired !== segment;
    readFrame(marker, segment, frame);
    parts.push(repaired);
    if (marker === JPEG.SOS) return repairTables({ frame, parts, isRepaired, scansAt: end }, segment);
    at = end;
  }
  return undefined;
}

/** Repairs what depends on segments before the first scan and on its header. */
function repairTables(header: Omit<Header, 'scan'>, segment: Buffer): Header | undefined {
  const scan = readScan(segment);
  if (!scan || header.frame.components === 0) return undefined;
  const isAdobe = repairAdobe(header.parts, header.frame);
  const isInserted = insertTables(header.parts, scan, header.frame);
  return { ...header, scan, isRepaired: header.isRepaired || isAdobe || isInserted };
}

function repairSegment(marker: number, segment: Buffer, frame: Frame): Buffer {
  if (marker === JPEG.APP0 && segment.length > 9 && segment.toString('latin1', 4, 9) === 'JFIF\0')
    return withBytes(segment, 9, [1]);
  // Sequential scans have all coefficients (T.81, B.2.3). Phones of Samsung write zeros.
  if (marker === JPEG.SOS && !frame.isProgressive && segment.length >= SMALLEST_SCAN_HEADER)
    return withBytes(segment, segment.length - 3, [0, 63, 0]);
  return segment;
}

/** Returns a copy of a segment with other bytes, or the same segment if it has them already. */
function withBytes(segment: Buffer, at: number, values: readonly number[]): Buffer {
  if (values.every((value, index) => segment[at + index] === value)) return segment;
  const copy = Buffer.from(segment);
  copy.set(values, at);
  return copy;
}

/** An unknown colour transform is taken for YCbCr, or for YCCK with four components, as libjpeg does. */
function repairAdobe(parts: Buffer[], { components }: Frame): boolean {
  let isRepaired = false;
  for (const [index, part] of parts.entries()) {
    const isAdobe = part[1] === JPEG.APP14 && part.length >= 16 && part.toString('latin1', 4, 9) === 'Adobe';
    if (!isAdobe || (part[15] as number) <= 2) continue;
    parts[index] = withBytes(part, 15, [components === 4 ? 2 : 1]);
    isRepaired = true;
  }
  return isRepaired;
}

/** Puts the standard tables first, so that those of the file replace them. */
function insertTables(parts: Buffer[], { components }: Scan, frame: Frame): boolean {
  const isWhole = components.every(
    ({ dcTable, acTable }) => frame.tables.has(dcTable) && frame.tables.has(acTable),
  );
  if (frame.isProgressive || isWhole) return false;
  parts.splice(1, 0, standardHuffmanTables());
  return true;
}

/**
 * Reads the scans, which are separated by segments. Returns their repaired bytes, or nothing if they need no repair or are not all
 * there.
 */
function repairScans(file: Buffer, { frame, scan, scansAt }: Header): { isEnded: boolean; scans: Buffer[] } {
  const parts: Buffer[] = [];
  const scans = [scan];
  let at = scansAt;
  for (const { marker, start, end } of segmentsFrom(file, scansAt)) {
    if (marker === JPEG.EOI)
      return { isEnded: true, scans: parts.length > 0 ? [...parts, file.subarray(at)] : [] };
    const segment = file.subarray(start, end);
    const repaired = repairSegment(marker, segment, frame);
    if (repaired !== segment) {
      parts.push(file.subarray(at, start), repaired);
      at = end;
    }
    const next = marker === JPEG.SOS ? readScan(repaired) : undefined;
    if (next) scans.push(next);
  }
  const end = [withoutTail(file.subarray(at)), Buffer.from([0xff, JPEG.EOI])];
  return { isEnded: false, scans: isEveryScanThere(scans, frame) ? [...parts, ...end] : [] };
}

/** Walks over what follows the header of the first scan, up to a second start. */
function* segmentsFrom(file: Buffer, scansAt: number): Generator<JpegSegment> {
  for (const segment of jpegSegments(file, 'skip')) {
    if (segment.marker === JPEG.SOI) return;
    if (segment.start >= scansAt) yield segment;
  }
}

/**
 * Returns the data of the last scan without zeros and fill bytes at their end: a download that was cut off can be filled up with them. The
 * decoder finds then that data are missing.
 */
function withoutTail(data: Buffer): Buffer {
  let end = data.length;
  while (end > 0 && (data[end - 1] === 0 || data[end - 1] === 0xff)) end--;
  // A byte of 0xff in the data is followed by 0.
  return data.subarray(0, data[end] === 0xff && data[end + 1] === 0 ? end + 2 : end);
}
