import { asBuffer } from '../containers/isobmff.ts';
import { JPEG, jpegSegments } from '../containers/jpeg-segments.ts';
import { buildHuffmanLookup, type HuffmanLookup } from './jpeg-huffman.ts';

/** A component of a frame (ITU-T T.81, B.2.2). */
export interface JpegComponent {
  id: number;
  /** Sampling factors. */
  horizontal: number;
  vertical: number;
  quantisation: number;
}

export interface JpegFrame {
  isProgressive: boolean;
  /** Bits of a sample. */
  precision: number;
  width: number;
  height: number;
  components: JpegComponent[];
}

/** A component in a scan, with the Huffman tables that its codes are read with. */
export interface ScanComponent {
  component: JpegComponent;
  dc: HuffmanLookup | undefined;
  ac: HuffmanLookup | undefined;
  /** The steps of quantisation, in the order of coefficients in a scan; `undefined` if the table is missing. */
  steps: Uint16Array | undefined;
}

/** A scan and its entropy-coded data (B.2.3). */
export interface JpegScan {
  components: ScanComponent[];
  /** First and last coefficient: Ss, Se. */
  first: number;
  last: number;
  /** Bit positions of successive approximation: Ah, Al. */
  high: number;
  low: number;
  /** MCUs between restart markers; 0 if there are none. */
  restartInterval: number;
  /** The data in the file, up to the marker that follows. */
  range: readonly [from: number, to: number];
}

export interface JpegStructure {
  frame: JpegFrame;
  scans: JpegScan[];
}

/** Progressive images have some ten. */
const MAX_SCANS = 100;
/** Four at most for each scan. A lookup has 128 KiB and takes 30 µs to build. */
const MAX_TABLES = 400;

/** What the segments have defined so far. */
interface Definitions {
  frame: JpegFrame | undefined;
  /** By class and destination: 0–3 for DC, 16–19 for AC. */
  tables: Map<number, HuffmanLookup>;
  /** How many tables there were, those that others have replaced included. */
  tableCount: number;
  steps: Map<number, Uint16Array>;
  restartInterval: number;
}

/**
 * Reads the frame and the scans of a JPEG up to its end. Bytes between segments are skipped.
 *
 * @returns `undefined` if segments or the end are missing, for countless scans or tables, or for a process other than baseline, extended sequential and progressive with
 * Huffman codes
 */
export function readJpegStructure(bytes: Uint8Array): JpegStructure | undefined {
  const file = asBuffer(bytes);
  const definitions: Definitions = {
    frame: undefined,
    tables: new Map(),
    tableCount: 0,
    steps: new Map(),
    restartInterval: 0,
  };
  const scans: JpegScan[] = [];
  let header: Buffer | undefined;
  for (const { marker, start, end } of jpegSegments(file, 'skip')) {
    const segment = file.subarray(start + 4, end);
    if (marker === JPEG.EOI) return definitions.frame && { frame: definitions.frame, scans };
    if (marker === JPEG.SOS) header = segment;
    else if (marker === JPEG.SCAN_DATA) {
      const scan = header && readScan(header, definitions, [start, end]);
      if (!scan || scans.push(scan) > MAX_SCANS) return undefined;
    } else if (!define(marker, segment, definitions)) return undefined;
  }
  return undefined;
}

/** Returns `false` if the segment is damaged, or that of another process. */
function define(marker: number, segment: Buffer, definitions: Definitions): boolean {
  if (marker === JPEG.DHT) return defineTables(segment, definitions);
  if (marker === JPEG.DQT) return defineQuantisation(segment, definitions);
  if (marker === JPEG.DRI) definitions.restartInterval = segment.length >= 2 ? segment.readUInt16BE(0) : 0;
  const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc;
  if (!isFrame) return true;
  const frame = definitions.frame ? undefined : readFrameHeader(marker, segment);
  definitions.frame ??= frame;
  return frame !== undefined;
}

/**
 * Reads the header of a frame (ITU-T T.81, B.2.2).
 *
 * @param segment - behind the marker and the length
 * @returns `undefined` if it is damaged, or that of a process other than baseline, extended sequential and progressive with Huffman codes
 */
export function readFrameHeader(marker: number, segment: Buffer): JpegFrame | undefined {
  const count = segment[5] ?? 0;
  const isRead = marker >= JPEG.BASELINE && marker <= JPEG.PROGRESSIVE;
  if (!isRead || count === 0 || segment.length < 6 + 3 * count) return undefined;
  const components = Array.from({ length: count }, (_, index) => {
    const [id, sampling, quantisation] = segment.subarray(6 + 3 * index) as unknown as [
      number,
      number,
      number,
    ];
    return { id, horizontal: sampling >> 4, vertical: sampling & 15, quantisation };
  });
  if (!components.every(({ horizontal, vertical }) => horizontal > 0 && vertical > 0)) return undefined;
  return {
    isProgressive: marker === JPEG.PROGRESSIVE,
    precision: segment[0] as number,
    height: segment.readUInt16BE(1),
    width: segment.readUInt16BE(3),
    components,
  };
}

function defineTables(segment: Buffer, definitions: Definitions): boolean {
  for (let at = 0; at < segment.length; ) {
    const counts = segment.subarray(at + 1, at + 17);
    const symbols = segment.subarray(at + 17, at + 17 + counts.reduce((sum, count) => sum + count, 0));
    const lookup = buildHuffmanLookup(counts, symbols);
    if (!lookup || ++definitions.tableCount > MAX_TABLES) return false;
    definitions.tables.set(segment[at] as number, lookup);
    at += 17 + symbols.length;
  }
  return true;
}

function defineQuantisation(segment: Buffer, { steps }: Definitions): boolean {
  for (let at = 0; at < segment.length; ) {
    const bytes = (segment[at] as number) >> 4 > 0 ? 2 : 1;
    if (at + 1 + 64 * bytes > segment.length) return false;
    const table = Uint16Array.from({ length: 64 }, (_, k) => segment.readUIntBE(at + 1 + k * bytes, bytes));
    steps.set((segment[at] as number) & 15, table);
    at += 1 + 64 * bytes;
  }
  return true;
}

function readScan(
  segment: Buffer,
  { frame, tables, steps, restartInterval }: Definitions,
  range: readonly [number, number],
): JpegScan | undefined {
  const count = segment[0] ?? 0;
  if (!frame || count === 0 || segment.length < 4 + 2 * count) return undefined;
  const components: ScanComponent[] = [];
  for (let index = 0; index < count; index++) {
    const component = frame.components.find(({ id }) => id === segment[1 + 2 * index]);
    if (!component) return undefined;
    const selected = segment[2 + 2 * index] as number;
    components.push({
      component,
      dc: tables.get(selected >> 4),
      ac: tables.get(16 + (selected & 15)),
      steps: steps.get(component.quantisation),
    });
  }
  const at = 1 + 2 * count;
  const [first, last, bits] = segment.subarray(at, at + 3) as unknown as [number, number, number];
  return { components, first, last, high: bits >> 4, low: bits & 15, restartInterval, range };
}
