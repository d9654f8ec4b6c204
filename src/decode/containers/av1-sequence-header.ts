import { bitReader, type ReadBits } from './bit-reader.ts';

/** What the sequence header of an AV1 bitstream says about its pictures (AV1 Bitstream & Decoding Process Specification, section 5.5). */
export interface Av1SequenceHeader {
  /** `seq_profile`: 0 Main (4:2:0 and monochrome), 1 High (4:4:4 too), 2 Professional. */
  profile: number;
  /** `seq_level_idx` of the first operating point: level X.Y is `(X - 2) * 4 + Y`, and 31 means no limits. */
  levelIndex: number;
  tier: number;
  isStillPicture: boolean;
  /** The largest size of a frame, in pixels. */
  width: number;
  height: number;
  bitDepth: 8 | 10 | 12;
  isMonochrome: boolean;
  /** Whether chroma has half the resolution, horizontally and vertically. True of monochrome, by definition. */
  isSubsampledX: boolean;
  isSubsampledY: boolean;
  chromaSamplePosition: number;
  /** Code points of ITU-T H.273; 2 where the bitstream does not say. */
  primaries: number;
  transfer: number;
  matrix: number;
  isFullRange: boolean;
}

const UNSPECIFIED = 2;
const PRIMARIES_BT709 = 1;
const TRANSFER_SRGB = 13;
const MATRIX_IDENTITY = 0;
const OBU_SEQUENCE_HEADER = 1;

/**
 * Reads the first sequence header of an AV1 bitstream.
 *
 * @param obus - open bitstream units with sizes, as the items of AVIF hold them
 * @returns `undefined` if there is none, or it is damaged
 */
export function readSequenceHeader(obus: Uint8Array): Av1SequenceHeader | undefined {
  for (let at = 0; at < obus.length; ) {
    const header = obus[at] as number;
    const hasExtension = (header & 4) !== 0;
    const hasSize = (header & 2) !== 0;
    const start = at + (hasExtension ? 2 : 1);
    const { value: size, end } = hasSize ? leb128(obus, start) : { value: obus.length - start, end: start };
    if (((header >> 3) & 15) === OBU_SEQUENCE_HEADER) return parse(obus.subarray(end, end + size));
    at = end + size;
  }
  return undefined;
}

/** Section 4.10.5: seven bits a byte, the lowest first; at most eight bytes. */
function leb128(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[start + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return { value, end: start + 8 };
}

function parse(bytes: Uint8Array): Av1SequenceHeader | undefined {
  const bits = bitReader(bytes);
  const profile = bits(3);
  const isStillPicture = bits(1) === 1;
  const isReduced = bits(1) === 1;
  const { levelIndex, tier } = isReduced ? { levelIndex: bits(5), tier: 0 } : operatingPoints(bits);
  const widthBits = bits(4) + 1;
  const heightBits = bits(4) + 1;
  const width = bits(widthBits) + 1;
  const height = bits(heightBits) + 1;
  // Frame identifiers, with their two lengths.
  if (!isReduced && bits(1)) bits(7);
  // Superblock size, filter intra, intra edge filter.
  bits(3);
  if (!isReduced) skipInterTools(bits);
  // Super-resolution, constrained directional enhancement, loop restoration.
  bits(3);
  const colour = colourConfig(bits, profile);
  const header = { profile, levelIndex, tier, isStillPicture, width, height, ...colour };
  return Number.isNaN(header.chromaSamplePosition) ? undefined : header;
}

/** Returns the level and tier of the first operating point, and skips all that stands before the frame size. */
function operatingPoints(bits: ReadBits): { levelIndex: number; tier: number } {
  const delayBits = skipTiming(bits);
  const hasDisplayDelay = bits(1) === 1;
  const points = Array.from({ length: bits(5) + 1 }, () => {
    bits(12);
    const levelIndex = bits(5);
    const tier = levelIndex > 7 ? bits(1) : 0;
    if (delayBits > 0 && bits(1)) bits(2 * delayBits + 1);
    if (hasDisplayDelay && bits(1)) bits(4);
    return { levelIndex, tier };
  });
  return points[0] ?? { levelIndex: Number.NaN, tier: Number.NaN };
}

/** Returns the length of the delays in operating points, in bits; 0 if they have none. */
function skipTiming(bits: ReadBits): number {
  if (bits(1) === 0) return 0;
  bits(64);
  if (bits(1)) skipVariableLength(bits);
  if (bits(1) === 0) return 0;
  const delayBits = bits(5) + 1;
  bits(42);
  return delayBits;
}

/** Section 4.10.3: as many bits as zeros before the first one. */
function skipVariableLength(bits: ReadBits): void {
  let zeros = 0;
  while (bits(1) === 0) zeros++;
  if (zeros < 32) bits(zeros);
}

function skipInterTools(bits: ReadBits): void {
  // Inter-intra and masked compounds, warped motion, dual filter.
  bits(4);
  const hasOrderHints = bits(1) === 1;
  if (hasOrderHints) bits(2);
  const SELECTED_BY_FRAME = 2;
  const screenContentTools = bits(1) ? SELECTED_BY_FRAME : bits(1);
  // Integer motion vectors: chosen by frame, or forced one way.
  if (screenContentTools > 0 && bits(1) === 0) bits(1);
  if (hasOrderHints) bits(3);
}

/** Section 5.5.2. */
function colourConfig(bits: ReadBits, profile: number) {
  const isDeep = bits(1) === 1;
  const bitDepth = isDeep ? (profile === 2 && bits(1) ? 12 : 10) : 8;
  const isMonochrome = profile !== 1 && bits(1) === 1;
  const isDescribed = bits(1) === 1;
  const [primaries = UNSPECIFIED, transfer = UNSPECIFIED, matrix = UNSPECIFIED] = isDescribed
    ? [bits(8), bits(8), bits(8)]
    : [];
  const described = { bitDepth, isMonochrome, primaries, transfer, matrix } as const;
  const isRgb = primaries === PRIMARIES_BT709 && transfer === TRANSFER_SRGB && matrix === MATRIX_IDENTITY;
  if (isRgb && !isMonochrome)
    return {
      ...described,
      ...{ isFullRange: true, isSubsampledX: false, isSubsampledY: false, chromaSamplePosition: 0 },
    };
  const range = bits(1);
  const isFullRange = range === 1;
  if (isMonochrome)
    return {
      ...described,
      // Carries `NaN` on where the bitstream has ended.
      ...{ isFullRange, isSubsampledX: true, isSubsampledY: true, chromaSamplePosition: range * 0 },
    };
  const { isSubsampledX, isSubsampledY } = subsampling(bits, profile, bitDepth);
  const chromaSamplePosition = isSubsampledX && isSubsampledY ? bits(2) : range * 0;
  return { ...described, isFullRange, isSubsampledX, isSubsampledY, chromaSamplePosition };
}

function subsampling(bits: ReadBits, profile: number, bitDepth: number) {
  if (profile < 2) return { isSubsampledX: profile === 0, isSubsampledY: profile === 0 };
  if (bitDepth < 12) return { isSubsampledX: true, isSubsampledY: false };
  const isSubsampledX = bits(1) === 1;
  return { isSubsampledX, isSubsampledY: isSubsampledX && bits(1) === 1 };
}
