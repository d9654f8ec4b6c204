// Repairs faults of JPEG segments that libjpeg only warns of, and that are shown whole everywhere. The segments are read exactly as libjpeg
// reads them, so that what is repaired looks as it did before.
import { asBuffer } from '../containers/isobmff.ts';
import { standardHuffmanTables } from './jpeg-huffman-tables.ts';

/** Markers (ITU-T T.81, table B.1). */
const MARKER = {
  TEM: 0x01,
  BASELINE: 0xc0,
  EXTENDED: 0xc1,
  PROGRESSIVE: 0xc2,
  DHT: 0xc4,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  APP0: 0xe0,
  APP14: 0xee,
} as const;

/** Photographs have dozens: profiles and thumbnails are split into segments of 64 KiB. */
const MAX_SEGMENTS = 10_000;

/** What the segments before the first scan say of the image. */
interface Frame {
  isProgressive: boolean;
  components: number;
  /** Huffman tables that are defined: 0–3 for DC, 16–19 for AC. */
  tables: Set<number>;
}

/** A component in the header of a scan. */
interface Scan {
  components: { id: number; dcTable: number; acTable: number }[];
  /** First and last coefficient (Ss, Se), and the bit position (Al). */
  first: number;
  last: number;
  low: number;
}

/** A JPEG with repaired segments. */
export interface RepairedJpeg {
  /** The same bytes if there is nothing to repair, or if the segments are not those of a whole image. */
  bytes: Uint8Array;
  /** Where the data of the first scan begin; `undefined` if the segments before it are damaged. */
  scansAt: number | undefined;
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
  if (!header) return { bytes, scansAt: undefined, isEnded: false };
  const { frame, scan, parts, scansAt } = header;
  const isEndSeen = file.readUInt16BE(file.length - 2) === 0xff00 + MARKER.EOI;
  const isRead = isEndSeen && (frame.isProgressive || scan.components.length === frame.components);
  const { isEnded, scans } = isRead ? { isEnded: true, scans: [] } : repairScans(file, header);
  if (!header.isRepaired && scans.length === 0) return { bytes, scansAt, isEnded };
  const newScansAt = parts.reduce((sum, part) => sum + part.length, 0);
  const repaired = Buffer.concat([...parts, ...(scans.length > 0 ? scans : [file.subarray(scansAt)])]);
  return { bytes: repaired, scansAt: newScansAt, isEnded };
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

/**
 * Returns where libjpeg goes on behind a segment: behind the marker if it stands alone, and behind the two bytes of its length if that is
 * less than 2. `undefined` for the end of the image, a second start, and what is cut off.
 */
function endOfSegment(
  file: Buffer,
  { marker, start }: { marker: number; start: number },
): number | undefined {
  if (marker === MARKER.TEM || (marker >= MARKER.RST0 && marker <= MARKER.RST7)) return start + 2;
  if (marker === MARKER.SOI || marker === MARKER.EOI || start + 4 > file.length) return undefined;
  const end = start + 2 + Math.max(2, file.readUInt16BE(start + 2));
  return end > file.length ? undefined : end;
}

/** Finds the next marker as libjpeg does: over all bytes up to one of 0xff that is followed neither by 0 nor by another 0xff. */
function nextMarker(
  file: Buffer,
  from: number,
): { marker: number; start: number; skipped: number } | undefined {
  let start = file.indexOf(0xff, from);
  let skipped = start - from;
  while (start >= 0) {
    const marker = file[start + 1];
    if (marker === undefined) return undefined;
    if (marker !== 0 && marker !== 0xff) return { marker, start, skipped };
    if (marker === 0) skipped += 2;
    const next = file.indexOf(0xff, start + (marker === 0 ? 2 : 1));
    skipped += marker === 0 ? Math.max(0, next - start - 2) : 0;
    start = next;
  }
  return undefined;
}

function readFrame(marker: number, segment: Buffer, frame: Frame): void {
  if (marker === MARKER.BASELINE || marker === MARKER.EXTENDED || marker === MARKER.PROGRESSIVE) {
    frame.isProgressive = marker === MARKER.PROGRESSIVE;
    frame.components = segment[9] ?? 0;
  }
  if (marker !== MARKER.DHT) return;
  for (let at = 4; at + 17 <= segment.length; ) {
    frame.tables.add(segment[at] as number);
    at += 17 + segment.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
  }
}

function readScan(segment: Buffer): Scan | undefined {
  const count = segment[4] ?? 0;
  if (segment.length !== 8 + 2 * count) return undefined;
  const components = Array.from({ length: count }, (_, index) => {
    const tables = segment[6 + 2 * index] as number;
    return { id: segment[5 + 2 * index] as number, dcTable: tables >> 4, acTable: 16 + (tables & 15) };
  });
  const at = segment.length - 3;
  const [first, last, approximation] = segment.subarray(at) as unknown as [number, number, number];
  return { components, first, last, low: approximation & 15 };
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

/** The data of a scan have no marker but restarts; a byte of 0xff in them is followed by 0. */
function endOfScan(file: Buffer, from: number): { marker: number; start: number } | undefined {
  for (let start = file.indexOf(0xff, from); start >= 0; start = file.indexOf(0xff, start + 1)) {
    const marker = file[start + 1];
    if (marker === undefined) return undefined;
    const isData = marker === 0 || marker === 0xff || (marker >= MARKER.RST0 && marker <= MARKER.RST7);
    if (!isData) return { marker, start };
  }
  return undefined;
}

/** Whether all components have been sent, in a progressive image with all coefficients down to the last bit. */
function isEveryScanThere(scans: readonly Scan[], { isProgressive, components }: Frame): boolean {
  const sent = new Map<number, number>();
  for (const scan of scans) {
    if (isProgressive && scan.low > 0) continue;
    const coefficients = isProgressive ? scan.last - scan.first + 1 : 64;
    for (const { id } of scan.components) sent.set(id, (sent.get(id) ?? 0) + coefficients);
  }
  return sent.size === components && [...sent.values()].every((coefficients) => coefficients >= 64);
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
