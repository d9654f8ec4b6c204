import {
  type Chromaticity,
  type Primaries,
  SRGB_PRIMARIES,
  srgbTransfer,
  type TransferFunction,
} from './cicp.ts';
import type { ColourTable } from './icc-table.ts';

/** What the pixel values of an image mean, where that is neither sRGB nor said by an ICC profile that libvips applies as browsers do. */
export type Colours = RgbColours | CmykColours;

export interface RgbColours {
  model: 'rgb';
  primaries: Primaries;
  transfer: TransferFunction | HdrSignal;
  /** The levels of black and white of each channel, where decoding leaves others than the smallest and the largest value. */
  levels?: readonly [Levels, Levels, Levels];
}

export interface CmykColours {
  model: 'cmyk';
  /** The table of the ICC profile. */
  table: ColourTable | undefined;
  /**
   * Whether black ink is counted as equal parts of the three others before the table is asked. That is wrong by the profile, but Chromium
   * does so, and it is what people see of the original.
   */
  isBlackReplaced: boolean;
}

/** What libvips decodes to other pixels than the file has: CIE L*a*b*, with L* first; a* and b* in steps of 1, or of 1/256 in 16 bits. */
export interface LabColours {
  model: 'lab';
  /** What the colours are relative to. */
  white: Chromaticity;
  /** Whether a* and b* are signed numbers; otherwise 0 is in the middle of the range, and L* ends at that of 8 bits. */
  isSigned: boolean;
}

export interface HdrSignal {
  /** `TransferCharacteristics`: PQ or HLG. */
  code: number;
  /** The luminance of the brightest pixel, in cd/m²; `undefined` if the image does not say. */
  peak: number | undefined;
}

/** As parts of the largest value. */
export interface Levels {
  black: number;
  white: number;
}

export const SRGB: RgbColours = { model: 'rgb', primaries: SRGB_PRIMARIES, transfer: srgbTransfer };

export function isSrgb({ primaries, transfer, levels }: RgbColours): boolean {
  return primaries === SRGB.primaries && transfer === SRGB.transfer && !levels;
}
