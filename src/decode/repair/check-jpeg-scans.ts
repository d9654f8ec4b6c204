import { setImmediate } from 'node:timers/promises';
import { asBuffer } from '../containers/isobmff.ts';
import { type EntropyData, entropyIntervals } from './jpeg-bits.ts';
import { type BlockState, readBand, readMcus, refineBand } from './jpeg-blocks.ts';
import type { HuffmanLookup } from './jpeg-huffman.ts';
import { blocksInUnit, planMcu, unitsOf } from './jpeg-mcus.ts';
import { type JpegComponent, type JpegFrame, type JpegScan, readJpegStructure } from './jpeg-structure.ts';

/** Reading so many blocks takes some milliseconds; other requests get a turn then. */
const BLOCKS_WITHOUT_PAUSE = 20_000;

/** Those of 100 megapixels with ten scans and half the colours. A small file can make a decoder go over its blocks for minutes. */
const MAX_BLOCKS = 25_000_000;

/** Damage is often a piece of zeros. So many follow each other in healthy data only where zeros stand for blocks without detail. */
const ZEROS = Buffer.alloc(24);
/** What is read of a piece of zeros that is longer than the rest of the image. */
const ZEROS_BEFORE_STRAYS = Buffer.alloc(8);

/** With fewer, damage may be in most of them. */
const MIN_INTERVALS = 8;

/** What the data of the scans say of a JPEG. */
export interface JpegScansReport {
  /** Whether the data hold all blocks, without codes that no encoder writes. */
  isWhole: boolean;
  /**
   * Whether the last scan holds such codes in most of its restart intervals. Damage is in a few: the file was made that way, and looks the
   * same everywhere.
   */
  isOddThroughout: boolean;
  /** Bytes in the file that follow the last block of a scan or a restart interval; `to` is exclusive. */
  strays: (readonly [from: number, to: number])[];
}

/**
 * Reads the Huffman codes of all scans of a JPEG. Decoders do not say reliably whether they are damaged: libjpeg resumes silently where a
 * piece is missing, and libvips looks for its warnings before each strip, but not after the last.
 *
 * It takes some 20 ms for each megabyte, and gives other work a turn meanwhile.
 *
 * @returns `undefined` if the file is of a process that is not read here, its segments are damaged, or it has too many blocks in all scans
 */
export async function checkJpegScans(bytes: Uint8Array): Promise<JpegScansReport | undefined> {
  const structure = readJpegStructure(bytes);
  if (!structure) return undefined;
  const { frame, scans } = structure;
  const file = asBuffer(bytes);
  const nonZero = new Map<JpegComponent, Uint32Array>();
  const report: JpegScansReport = { isWhole: true, isOddThroughout: false, strays: [] };
  const blocks = scans.reduce((sum, scan) => sum + unitsOf(frame, scan) * blocksInUnit(scan), 0);
  if (blocks > MAX_BLOCKS) return undefined;
  for (const scan of scans) {
    const reader = createScanReader(frame, scan, nonZero);
    if (!reader || !(await checkScan(file, scan, reader, report))) return { ...report, isWhole: false };
  }
  return report;
}

interface ScanReader {
  /** MCUs, or blocks if the scan has one component. */
  units: number;
  blocksInUnit: number;
  /** Whether zeros stand for blocks without detail. */
  isZeroNatural: boolean;
  /** Reads some units; returns `false` if they are damaged. */
  read(state: BlockState, from: number, to: number): boolean;
}

async function checkScan(
  file: Buffer,
  { range, restartInterval }: JpegScan,
  reader: ScanReader,
  report: JpegScansReport,
): Promise<boolean> {
  const { units } = reader;
  let [unit, intervals, odd] = [0, 0, 0];
  for (const data of entropyIntervals(file, range)) {
    // Some encoders write a restart marker after the last interval, too.
    if (unit === units) return data.bits === 0;
    const end = restartInterval > 0 ? Math.min(units, unit + restartInterval) : units;
    const state: BlockState = { data, at: 0, predictors: new Int32Array(4), emptyBlocks: 0 };
    intervals++;
    if (!(await isWholeInterval(reader, state, unit, end))) odd++;
    const stray = strayBytes(file, data, state.at);
    if (stray) report.strays.push(stray);
    unit = end;
  }
  report.isOddThroughout = intervals >= MIN_INTERVALS && 2 * odd > intervals;
  return unit === units && odd === 0;
}

async function isWholeInterval(
  reader: ScanReader,
  state: BlockState,
  from: number,
  to: number,
): Promise<boolean> {
  const isRead = (await readInterval(reader, state, from, to)) && state.emptyBlocks === 0;
  return isRead && isPadded(state) && !hasFilledHole(state, reader.isZeroNatural);
}

async function readInterval(
  { blocksInUnit, read }: ScanReader,
  state: BlockState,
  from: number,
  to: number,
): Promise<boolean> {
  const step = Math.ceil(BLOCKS_WITHOUT_PAUSE / blocksInUnit);
  for (let unit = from; unit < to; unit += step) {
    const next = Math.min(to, unit + step);
    if (!read(state, unit, next)) return false;
    if (Math.floor(next / step) > Math.floor(unit / step)) await setImmediate();
  }
  return true;
}

/** Encoders fill up the last byte with ones, some with zeros. What is left of a damaged interval begins with anything. */
function isPadded({ data: { bytes, bits }, at }: BlockState): boolean {
  const unused = 8 - (at & 7);
  if (unused === 8 || bits - at < 8) return true;
  const padding = (bytes[at >> 3] as number) & ((1 << unused) - 1);
  return padding === 0 || padding === (1 << unused) - 1;
}

/** Whether the data that were read have zeros where an encoder writes none. */
function hasFilledHole({ data: { bytes, bits }, at }: BlockState, isZeroNatural: boolean): boolean {
  const used = asBuffer(bytes).subarray(0, (at + 7) >> 3);
  const hasStrays = bits - at >= 8;
  if (hasStrays && used.subarray(-ZEROS_BEFORE_STRAYS.length).equals(ZEROS_BEFORE_STRAYS)) return true;
  return !isZeroNatural && used.includes(ZEROS);
}

function strayBytes(
  file: Buffer,
  { bits, end }: EntropyData,
  at: number,
): readonly [number, number] | undefined {
  let from = end;
  for (let left = (bits - at) >> 3; left > 0; left--)
    from -= file[from - 1] === 0 && file[from - 2] === 0xff ? 2 : 1;
  return from < end ? [from, end] : undefined;
}

/** Returns the reader for a scan; `undefined` if its tables are missing. */
function createScanReader(
  frame: JpegFrame,
  scan: JpegScan,
  nonZero: Map<JpegComponent, Uint32Array>,
): ScanReader | undefined {
  const { isProgressive } = frame;
  const { components, first, last, high } = scan;
  const plan = planMcu(frame, scan);
  const units = unitsOf(frame, scan);
  const isZeroNatural = components.every(
    ({ dc, ac }) =>
      (first > 0 || high > 0 || isNothing(dc, 0)) && ((isProgressive && first === 0) || isNothing(ac, 14)),
  );
  const sizes = { units, blocksInUnit: plan.length, isZeroNatural };
  if (isProgressive && first === 0 && high > 0)
    return { ...sizes, read: (state, from, to) => refineDc(state, plan.length * (to - from)) };
  if (!isProgressive || first === 0) {
    const isReady = components.every(({ dc, ac }) => dc && (ac || isProgressive));
    const read: ScanReader['read'] = (state, from, to) => readMcus(state, plan, to - from, !isProgressive);
    return isReady ? { ...sizes, read } : undefined;
  }
  const [only] = components;
  if (!only?.ac || components.length > 1) return undefined;
  const known = nonZero.get(only.component) ?? new Uint32Array(2 * units);
  nonZero.set(only.component, known);
  const maxBits = plan[0]?.maxBits as Uint8Array;
  const band = { ac: only.ac, first, last, maxBits, nonZero: known };
  const readBlocks = high === 0 ? readBand : refineBand;
  return { ...sizes, read: (state, from, to) => readBlocks(state, band, from, to) };
}

/** Whether a code of zeros stands for a difference of 0, or for the end of a block or of a run of blocks. */
function isNothing(table: HuffmanLookup | undefined, maxRun: number): boolean {
  const code = table?.[0] ?? 0;
  return code > 0 && (code & 15) === 0 && ((code >> 4) & 15) <= maxRun;
}

/** One bit for each block. */
function refineDc(state: BlockState, blocks: number): boolean {
  state.at += blocks;
  return state.at <= state.data.bits;
}
