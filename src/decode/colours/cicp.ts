// Colour descriptions by code points (CICP), as AVIF, HEIC and PNG carry them: ITU-T H.273 (07/2024), sections 8.1 and 8.2.

/** CIE 1931 x and y of one colour. */
export type Chromaticity = readonly [x: number, y: number];

/** The chromaticities of the primary colours of an RGB space and of its white. */
export interface Primaries {
  red: Chromaticity;
  green: Chromaticity;
  blue: Chromaticity;
  white: Chromaticity;
}

/** Converts a signal from 0 to 1 to linear light, relative to white, from 0 to 1. It is monotonic. */
export type TransferFunction = (signal: number) => number;

/** How an image says its colours by code points. */
export interface Cicp {
  /** `ColourPrimaries`. */
  primaries: number;
  /** `TransferCharacteristics`. */
  transfer: number;
}

/** Code points with which other code has to do. */
export const CICP = { UNSPECIFIED: 2, SRGB_PRIMARIES: 1, SRGB_TRANSFER: 13, PQ: 16, HLG: 18 } as const;

const D65: Chromaticity = [0.3127, 0.329];
const ILLUMINANT_C: Chromaticity = [0.31, 0.316];
const SMPTE_C = primaries([0.63, 0.34], [0.31, 0.595], [0.155, 0.07], D65);

export const SRGB_PRIMARIES = primaries([0.64, 0.33], [0.3, 0.6], [0.15, 0.06], D65);
export const BT2020_PRIMARIES = primaries([0.708, 0.292], [0.17, 0.797], [0.131, 0.046], D65);

/** By `ColourPrimaries` (H.273, table 2). */
const PRIMARIES: Readonly<Record<number, Primaries>> = {
  1: SRGB_PRIMARIES,
  4: primaries([0.67, 0.33], [0.21, 0.71], [0.14, 0.08], ILLUMINANT_C),
  5: primaries([0.64, 0.33], [0.29, 0.6], [0.15, 0.06], D65),
  6: SMPTE_C,
  7: SMPTE_C,
  8: primaries([0.681, 0.319], [0.243, 0.692], [0.145, 0.049], ILLUMINANT_C),
  9: BT2020_PRIMARIES,
  10: primaries([1, 0], [0, 1], [0, 0], [1 / 3, 1 / 3]),
  11: primaries([0.68, 0.32], [0.265, 0.69], [0.15, 0.06], [0.314, 0.351]),
  12: primaries([0.68, 0.32], [0.265, 0.69], [0.15, 0.06], D65),
  22: primaries([0.63, 0.34], [0.295, 0.605], [0.155, 0.077], D65),
};

/** By `TransferCharacteristics` (H.273, table 3), but for those of video, and for PQ and HLG (see `tone-map.ts`). */
const TRANSFERS: Readonly<Record<number, TransferFunction>> = {
  4: gamma(2.2),
  5: gamma(2.8),
  7: (signal) => (signal < 4 * 0.0228 ? signal / 4 : ((signal + 0.1115) / 1.1115) ** (1 / 0.45)),
  8: (signal) => signal,
  13: srgbTransfer,
  17: (signal) => Math.min(1, (52.37 / 48) * signal ** 2.6),
};

/** BT.709, BT.601, xvYCC and BT.2020, whose code points name the curve of the camera and not of the display. */
export const VIDEO_TRANSFERS: readonly number[] = [1, 6, 11, 14, 15];

/** Returns the primaries of a code point; `undefined` if it is unspecified or reserved. */
export function primariesOf(code: number): Primaries | undefined {
  return PRIMARIES[code];
}

/** Returns the transfer function of a code point; `undefined` if it is unspecified, reserved, HDR, or one of video. */
export function transferOf(code: number): TransferFunction | undefined {
  return TRANSFERS[code];
}

/** IEC 61966-2-1. */
export function srgbTransfer(signal: number): number {
  return signal <= 0.04045 ? signal / 12.92 : ((signal + 0.055) / 1.055) ** 2.4;
}

export function gamma(exponent: number): TransferFunction {
  return (signal) => signal ** exponent;
}

function primaries(
  red: Chromaticity,
  green: Chromaticity,
  blue: Chromaticity,
  white: Chromaticity,
): Primaries {
  return { red, green, blue, white };
}

/** Steps of linear light: the darkest level of sRGB has twenty of them. */
const STEPS = 65_535;

let levels: Uint8Array | undefined;

/** Returns a function that encodes linear light as a level of sRGB from 0 to 255 (IEC 61966-2-1). Light below 0 and above 1 is clipped. */
export function srgbEncoder(): (light: number) => number {
  levels ??= Uint8Array.from({ length: STEPS + 1 }, (_, step) => {
    const light = step / STEPS;
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
  const table = levels;
  return (light) => table[Math.min(STEPS, Math.max(0, Math.round(light * STEPS)))] as number;
}
