import { bitReader, type ReadBits } from './bit-reader.ts';

/** What an HEVC bitstream says of its colours, in the video usability information (VUI; ITU-T H.265, sections E.2.1 and E.3.1). */
export interface HevcColours {
  /** Code points of ITU-T H.273; 2 where the bitstream does not say. */
  primaries: number;
  transfer: number;
  matrix: number;
  isFullRange: boolean;
}

const UNSPECIFIED = 2;

/** What holds where the bitstream says nothing. */
const DEFAULTS: HevcColours = {
  primaries: UNSPECIFIED,
  transfer: UNSPECIFIED,
  matrix: UNSPECIFIED,
  isFullRange: false,
};

/** The type of the unit that holds the sequence parameter set (table 7-1). */
const SEQUENCE_PARAMETERS = 33;

/** The largest counts that are allowed (section 7.4.3.2.1). A damaged file could have any. */
const MAX_REFERENCE_SETS = 64;
const MAX_REFERENCES = 16;
const MAX_LONG_TERM_REFERENCES = 32;
const MAX_ORDER_BITS = 16;

/**
 * Returns what the bitstream of a picture says of its colours. What is missing or damaged is what holds without it.
 *
 * @param hvcC - the configuration of the decoder (ISO/IEC 14496-15, section 8.3.2.1)
 * @throws RangeError if the configuration is cut off
 */
export function readHevcColours(hvcC: Buffer): HevcColours {
  const unit = sequenceParameters(hvcC);
  if (!unit) return DEFAULTS;
  const bits = bitReader(withoutEmulationPrevention(unit.subarray(2)));
  if (!skipToUsability(bits) || bits(1) !== 1) return DEFAULTS;
  return readUsability(bits);
}

/** Returns the first unit of its type in the base layer, with its header of two bytes. */
function sequenceParameters(hvcC: Buffer): Buffer | undefined {
  let at = 23;
  for (let arrays = hvcC.readUInt8(22); arrays > 0; arrays--) {
    const type = hvcC.readUInt8(at) & 63;
    const count = hvcC.readUInt16BE(at + 1);
    at += 3;
    for (let left = count; left > 0; left--) {
      const length = hvcC.readUInt16BE(at);
      const unit = hvcC.subarray(at + 2, at + 2 + length);
      const layer = (hvcC.readUInt16BE(at + 2) >> 3) & 63;
      if (type === SEQUENCE_PARAMETERS && layer === 0) return unit;
      at += 2 + length;
    }
  }
  return undefined;
}

/** Section 7.3.1.1: a 3 behind two zeros keeps what follows from looking like the start of a unit. */
function withoutEmulationPrevention(unit: Buffer): Uint8Array {
  return unit.filter((byte, at) => byte !== 3 || at < 2 || unit[at - 1] !== 0 || unit[at - 2] !== 0);
}

/** Reads what stands before the flag of the VUI (section 7.3.2.2.1). Returns whether it is plausible. */
function skipToUsability(bits: ReadBits): boolean {
  bits(4);
  const subLayers = bits(3);
  bits(1);
  skipProfiles(bits, subLayers);
  golomb(bits);
  const COLOUR_PLANES = 3;
  if (golomb(bits) === COLOUR_PLANES) bits(1);
  skipGolombs(bits, 2);
  const isCropped = bits(1) === 1;
  if (isCropped) skipGolombs(bits, 4);
  skipGolombs(bits, 2);
  const orderBits = golomb(bits) + 4;
  const isEachOrdered = bits(1) === 1;
  skipGolombs(bits, 3 * (isEachOrdered ? subLayers + 1 : 1));
  // The sizes of blocks and transforms.
  skipGolombs(bits, 6);
  const hasScalingLists = bits(1) === 1 && bits(1) === 1;
  if (hasScalingLists) skipScalingLists(bits);
  bits(2);
  if (bits(1) === 1) skipUncompressedBlocks(bits);
  if (!skipReferenceSets(bits) || !skipLongTermReferences(bits, orderBits)) return false;
  bits(2);
  return true;
}

/** Section 7.3.3. */
function skipProfiles(bits: ReadBits, subLayers: number): void {
  bits(96);
  const present = Array.from({ length: subLayers }, () => ({ profile: bits(1), level: bits(1) }));
  if (subLayers > 0) bits(2 * (8 - subLayers));
  for (const { profile, level } of present) bits(88 * profile + 8 * level);
}

/** Section 7.3.4. */
function skipScalingLists(bits: ReadBits): void {
  for (let size = 0; size < 4; size++)
    for (let matrix = 0; matrix < (size === 3 ? 2 : 6); matrix++) {
      const isCoded = bits(1) === 1;
      const coded = Math.min(64, 16 << (2 * size)) + (size > 1 ? 1 : 0);
      skipGolombs(bits, isCoded ? coded : 1);
    }
}

function skipUncompressedBlocks(bits: ReadBits): void {
  bits(8);
  skipGolombs(bits, 2);
  bits(1);
}

/** Section 7.3.7. */
function skipReferenceSets(bits: ReadBits): boolean {
  const sets = golomb(bits);
  if (!(sets <= MAX_REFERENCE_SETS)) return false;
  let references = 0;
  for (let index = 0; index < sets; index++) {
    const isPredicted = index > 0 && bits(1) === 1;
    references = isPredicted ? predictedReferences(bits, references) : codedReferences(bits);
    if (!(references <= MAX_REFERENCES)) return false;
  }
  return true;
}

/** Returns the number of references in a set that is described by the one before it. */
function predictedReferences(bits: ReadBits, before: number): number {
  bits(1);
  golomb(bits);
  let references = 0;
  for (let left = before + 1; left > 0; left--) if (bits(1) === 1 || bits(1) === 1) references++;
  return references;
}

function codedReferences(bits: ReadBits): number {
  const references = golomb(bits) + golomb(bits);
  for (let left = Math.min(references, MAX_REFERENCES); left > 0; left--) {
    golomb(bits);
    bits(1);
  }
  return references;
}

function skipLongTermReferences(bits: ReadBits, orderBits: number): boolean {
  if (bits(1) === 0) return true;
  const references = golomb(bits);
  if (!(references <= MAX_LONG_TERM_REFERENCES && orderBits <= MAX_ORDER_BITS)) return false;
  bits(references * (orderBits + 1));
  return true;
}

function readUsability(bits: ReadBits): HevcColours {
  const EXTENDED_ASPECT_RATIO = 255;
  if (bits(1) === 1 && bits(8) === EXTENDED_ASPECT_RATIO) bits(32);
  if (bits(1) === 1) bits(1);
  if (bits(1) !== 1) return DEFAULTS;
  bits(3);
  const isFullRange = bits(1) === 1;
  if (bits(1) !== 1) return { ...DEFAULTS, isFullRange };
  const colours = { primaries: bits(8), transfer: bits(8), matrix: bits(8), isFullRange };
  return Number.isNaN(colours.matrix) ? DEFAULTS : colours;
}

/** Exponential Golomb codes of unsigned numbers (section 9.2). Signed ones are as long. */
function golomb(bits: ReadBits): number {
  let zeros = 0;
  while (zeros < 32 && bits(1) === 0) zeros++;
  return 2 ** zeros - 1 + bits(zeros);
}

function skipGolombs(bits: ReadBits, count: number): void {
  for (let left = count; left > 0; left--) golomb(bits);
}
