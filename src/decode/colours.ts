import { type Primaries, SRGB_PRIMARIES, srgbTransfer, type TransferFunction } from './cicp.ts';

/** What the pixel values of an image mean, where that is neither sRGB nor said by an ICC profile, which libvips applies. */
export interface Colours {
  primaries: Primaries;
  transfer: TransferFunction | HdrSignal;
  /** The levels of black and white of each channel, where decoding leaves others than the smallest and the largest value. */
  levels?: readonly [Levels, Levels, Levels];
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

export const SRGB: Colours = { primaries: SRGB_PRIMARIES, transfer: srgbTransfer };

export function isSrgb({ primaries, transfer, levels }: Colours): boolean {
  return primaries === SRGB.primaries && transfer === SRGB.transfer && !levels;
}
