import type { EntropyData } from './jpeg-bits.ts';
import type { HuffmanLookup } from './jpeg-huffman.ts';

// Reading blocks without their pixels, to find out whether the data are damaged. It is stricter than decoders: codes that no encoder writes
// are damage.

/** What the reader of a scan keeps between its blocks. */
export interface BlockState {
  data: EntropyData;
  /** The next bit of the data. */
  at: number;
  /** The DC coefficient of the block before, by component of the scan. */
  predictors: Int32Array;
  /** Blocks that follow without coefficients, in a progressive scan. */
  emptyBlocks: number;
}

/** A block of an MCU. */
export interface BlockPlan {
  /** Index of its component in the scan. */
  slot: number;
  dc: HuffmanLookup;
  ac: HuffmanLookup;
  /** The largest quantised DC coefficient, and the largest size of each coefficient in bits. */
  maxDc: number;
  maxBits: Uint8Array;
}

/** The band of coefficients of a progressive scan, and which of them are not zero so far: 64 bits for each block. */
export interface Band {
  ac: HuffmanLookup;
  first: number;
  last: number;
  /** The largest size of each coefficient in bits. */
  maxBits: Uint8Array;
  nonZero: Uint32Array;
}

/** Reads MCUs of a sequential scan, or of the first DC scan of a progressive image. Returns `false` if they are damaged. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop over all codes; functions for its steps would double its time.
export function readMcus(
  state: BlockState,
  plan: readonly BlockPlan[],
  count: number,
  hasAc: boolean,
): boolean {
  const { bytes, bits } = state.data;
  let at = state.at;
  for (let mcu = 0; mcu < count; mcu++) {
    for (const { slot, dc, ac, maxDc, maxBits } of plan) {
      const code = dc[peek(bytes, at)] as number;
      const size = code & 255;
      if (code === 0 || size > (maxBits[0] as number)) return false;
      at += code >> 8;
      const value = (state.predictors[slot] as number) + signed(peek(bytes, at), size);
      if (value > maxDc || value < -maxDc) return false;
      state.predictors[slot] = value;
      at += size;
      if (hasAc) at = readAc(bytes, at, ac, maxBits);
      if (at < 0 || at > bits) return false;
    }
  }
  state.at = at;
  return true;
}

/** Returns the first bit after the AC coefficients of a sequential block (ITU-T T.81, F.2.2.2), or -1. */
function readAc(bytes: Uint8Array, start: number, ac: HuffmanLookup, maxBits: Uint8Array): number {
  let at = start;
  for (let k = 1; k < 64; k++) {
    const code = ac[peek(bytes, at)] as number;
    const [run, size] = [(code >> 4) & 15, code & 15];
    at += code >> 8;
    if (code === 0) return -1;
    if (size === 0 && run === 0) return at;
    if (size === 0 && run !== 15) return -1;
    k += run;
    if (k > (size === 0 ? 62 : 63) || size > (maxBits[k] as number)) return -1;
    at += size;
  }
  return at;
}

/** Reads blocks of the first scan of a band (G.1.2.2). Returns `false` if they are damaged. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop over all codes; functions for its steps would double its time.
export function readBand(
  state: BlockState,
  { ac, first, last, maxBits, nonZero }: Band,
  from: number,
  to: number,
): boolean {
  const { bytes, bits } = state.data;
  let { at, emptyBlocks } = state;
  for (let block = from; block < to; block++) {
    if (emptyBlocks > 0) {
      emptyBlocks--;
      continue;
    }
    for (let k = first; k <= last; k++) {
      const code = ac[peek(bytes, at)] as number;
      const [run, size] = [(code >> 4) & 15, code & 15];
      if (code === 0) return false;
      at += code >> 8;
      if (size === 0 && run < 15) {
        emptyBlocks = (1 << run) - 1 + (peek(bytes, at) >> (16 - run));
        at += run;
        break;
      }
      k += run;
      if (k > last || (size === 0 && k === last) || size > (maxBits[k] as number)) return false;
      if (size > 0) setNonZero(nonZero, block, k);
      at += size;
    }
    if (at > bits) return false;
  }
  state.at = at;
  state.emptyBlocks = emptyBlocks;
  return true;
}

/** Reads blocks of a scan that refines a band (G.1.2.3). Returns `false` if they are damaged. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop over all codes; functions for its steps would double its time.
export function refineBand(state: BlockState, band: Band, from: number, to: number): boolean {
  const { ac, first, last, nonZero } = band;
  const { bytes, bits } = state.data;
  for (let block = from; block < to; block++) {
    let k = first;
    while (k <= last && state.emptyBlocks === 0) {
      const code = ac[peek(bytes, state.at)] as number;
      const [run, size] = [(code >> 4) & 15, code & 15];
      if (code === 0 || size > 1) return false;
      state.at += code >> 8;
      if (size === 0 && run < 15) {
        // This block is one of the run.
        state.emptyBlocks = (1 << run) + (peek(bytes, state.at) >> (16 - run));
        state.at += run;
        break;
      }
      state.at += size;
      k = skipZeros(state, band, block, k, run);
      if (k > last) return false;
      if (size === 1) setNonZero(nonZero, block, k);
      k++;
    }
    if (state.emptyBlocks > 0) {
      for (; k <= last; k++) if (isNonZero(nonZero, block, k)) state.at++;
      state.emptyBlocks--;
    }
    if (state.at > bits) return false;
  }
  return true;
}

/** Returns the place of the zero after so many zeros. Each coefficient that is passed has a bit of correction. */
function skipZeros(
  state: BlockState,
  { last, nonZero }: Band,
  block: number,
  from: number,
  zeros: number,
): number {
  let left = zeros;
  let k = from;
  for (; k <= last; k++) {
    if (isNonZero(nonZero, block, k)) state.at++;
    else if (left-- === 0) break;
  }
  return k;
}

function isNonZero(nonZero: Uint32Array, block: number, k: number): boolean {
  return (((nonZero[2 * block + (k >> 5)] as number) >>> (k & 31)) & 1) === 1;
}

function setNonZero(nonZero: Uint32Array, block: number, k: number): void {
  const at = 2 * block + (k >> 5);
  nonZero[at] = (nonZero[at] as number) | (1 << (k & 31));
}

/** Returns the 16 bits from a place. */
function peek(bytes: Uint8Array, at: number): number {
  const byte = at >> 3;
  const value =
    ((bytes[byte] as number) << 16) | ((bytes[byte + 1] as number) << 8) | (bytes[byte + 2] as number);
  return (value >> (8 - (at & 7))) & 0xffff;
}

/** Returns the number that the first of 16 bits stand for (F.2.2.1, EXTEND). */
function signed(bits: number, size: number): number {
  const value = bits >> (16 - size);
  return size === 0 || value >= 1 << (size - 1) ? value : value + 1 - (1 << size);
}
