// Repairs faults of JPEG segments that libjpeg only warns of, and that are shown whole everywhere. They are read as libjpeg reads
// them, so that what is repaired looks as it did before.
import { asBuffer } from '../containers/isobmff.ts';
import { standardHuffmanTables } from './jpeg-huffman.ts';
import {
  endOfScan,
  endOfSegment,
  type Frame,
  isEveryScanThere,
  MARKER,
  nextMarker,
  readFrame,
  readScan,
  type Scan,
} from './jpeg-segments.ts';

/** Photographs have dozens: profiles and thumbnails are split into segments of 64 KiB. */
const MAX_SEGMENTS = 10_000;

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
  const isEndSeen = file.readUInt16BE(file.length - 2) === 0xff00 + MARKER.EOI;
  const isRead = isEndSeen && (isProgressive || scan.components.length === frame.components);
  const { isEnded, scans } = isRead ? { isEnded: true, scans: [] } : repairScans(file, header);
  if (!header.isRepaired && scans.length === 0) return { bytes, scansAt, isProgressive, isEnded };
  const newScansAt = parts.reduce((sum, part) => sum + part.length, 0);
  const repaired = Buffer.concat([...parts, ...(scans.length > 0 ? scans : [file.subarray(scansAt)])]);
  return { bytes: repaired, scansAt: newScansAt, isProgressive, isEnded };
}

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
  let end: number | undefined = 2;
  while (parts.length < MAX_SEGMENTS) {
    const found = nextMarker(file, end);
    end = found && endOfSegment(file, found);
    if (!found || end === undefined) return undefined;
    const { marker, start, skipped } = found;
    const segment = file.subarray(start, end);
    const isWhole = segment.length >= 4 && segment.readUInt16BE(2) >= 2;
    const repaired = isWhole ? repairSegment(marker, segment, frame) : segment;
    isRepaired ||= skipped > 0 || !isWhole || repaired !== segment;
    if (!isWhole) continue;
    readFrame(marker, segment, frame);
    parts.push(repaired);
    if (marker === MARKER.SOS) return repairTables({ frame, parts, isRepaired, scansAt: end }, segment);
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
  if (marker === MARKER.APP0 && segment.length > 9 && segment.toString('latin1', 4, 9) === 'JFIF\0')
    return withBytes(segment, 9, [1]);
  // Sequential scans have all coefficients (T.81, B.2.3). Phones of Samsung write zeros.
  if (marker === MARKER.SOS && !frame.isProgressive)
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
    const isAdobe =
      part[1] === MARKER.APP14 && part.length >= 16 && part.toString('latin1', 4, 9) === 'Adobe';
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
  let isRepaired = false;
  let dataAt = scansAt;
  for (let found = endOfScan(file, dataAt); found; found = endOfScan(file, dataAt)) {
    const { marker, start } = found;
    if (marker === MARKER.EOI)
      return { isEnded: true, scans: isRepaired ? [...parts, file.subarray(dataAt)] : [] };
    const end = endOfSegment(file, found);
    if (end === undefined || parts.length > MAX_SEGMENTS) break;
    const segment = file.subarray(start, end);
    const repaired = repairSegment(marker, segment, frame);
    isRepaired ||= repaired !== segment;
    parts.push(file.subarray(dataAt, start), repaired);
    dataAt = end;
    const next = marker === MARKER.SOS ? readScan(repaired) : undefined;
    if (next) scans.push(next);
  }
  const end = [withoutTail(file.subarray(dataAt)), Buffer.from([0xff, MARKER.EOI])];
  return { isEnded: false, scans: isEveryScanThere(scans, frame) ? [...parts, ...end] : [] };
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
