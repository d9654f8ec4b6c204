import { SRGB_PRIMARIES } from './cicp.ts';
import type { CmykColours } from './colours.ts';
import { CONNECTION_WHITE } from './icc-table.ts';
import { matrixFromXyz, multiplyInPlace, type Triple } from './rgb-matrix.ts';
import { srgbEncoder } from './srgb-encoder.ts';

const INKS = 4;

/**
 * Converts pixels of CMYK to sRGB, as browsers do: by the table of the profile, whose black is not made darker, or without one by taking
 * each ink for a perfect filter.
 *
 * @param pixels - CMYK with or without alpha, in 8 or 16 bits a channel; more is more ink
 * @returns RGB or RGBA
 */
export function convertCmykToSrgb(
  pixels: Uint8Array | Uint16Array,
  channels: 4 | 5,
  { table }: CmykColours,
): Uint8Array {
  const largest = pixels instanceof Uint16Array ? 65_535 : 255;
  const size = channels - 1;
  const out = new Uint8Array((pixels.length / channels) * size);
  const toLevels = table ? tableToLevels(table) : filtersToLevels;
  const values = new Float64Array(INKS);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += size) {
    for (let ink = 0; ink < INKS; ink++) values[ink] = (pixels[from + ink] as number) / largest;
    toLevels(values);
    for (let channel = 0; channel < 3; channel++) out[to + channel] = values[channel] as number;
    if (channels > INKS) out[to + 3] = ((pixels[from + INKS] as number) * 255) / largest;
  }
  return out;
}

function tableToLevels(table: (values: Float64Array) => void): (values: Float64Array) => void {
  const matrix = matrixFromXyz(CONNECTION_WHITE, SRGB_PRIMARIES);
  const encode = srgbEncoder();
  const light: Triple = [0, 0, 0];
  return (values) => {
    table(values);
    for (let channel = 0; channel < 3; channel++) light[channel] = values[channel] as number;
    multiplyInPlace(matrix, light);
    for (let channel = 0; channel < 3; channel++) values[channel] = encode(light[channel] as number);
  };
}

function filtersToLevels(values: Float64Array): void {
  const paper = 1 - (values[3] as number);
  for (let ink = 0; ink < 3; ink++) values[ink] = Math.round(255 * (1 - (values[ink] as number)) * paper);
}
