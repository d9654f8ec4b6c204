import { type Chromaticity, SRGB_PRIMARIES, srgbEncoder } from './cicp.ts';
import type { LabColours } from './colours.ts';
import { fromLab } from './icc-table.ts';
import { matrixFromXyz, multiplyInPlace, type Triple } from './rgb-matrix.ts';

/** The usual white of L*a*b* in files, such as Photoshop's. */
export const D50: Chromaticity = [0.3457, 0.3585];

/**
 * Returns what converts pixels of L*a*b* to sRGB (CIE 15:2018, section 8.2.1).
 *
 * @param pixels - with or without alpha, in 8 or 16 bits a channel
 * @param out - of as many channels
 * @returns a function that converts the pixels from one index to another
 */
export function labConverter(
  pixels: Uint8Array | Uint16Array,
  channels: 3 | 4,
  { white, isSigned }: LabColours,
  out: Uint8Array,
): (first: number, end: number) => void {
  const [whiteX, whiteZ] = [white[0] / white[1], (1 - white[0] - white[1]) / white[1]];
  const isDeep = pixels instanceof Uint16Array;
  const { lightness, chroma } = labTables(isDeep ? 256 : 1, isSigned);
  const matrix = matrixFromXyz([whiteX, 1, whiteZ], SRGB_PRIMARIES);
  const encode = srgbEncoder();
  const light: Triple = [0, 0, 0];
  const at = (index: number) => pixels[index] as number;
  return (first, end) => {
    for (let index = first * channels; index < end * channels; index += channels) {
      const y = lightness[at(index)] as number;
      light[0] = whiteX * fromLab(y + (chroma[at(index + 1)] as number) / 500);
      light[1] = fromLab(y);
      light[2] = whiteZ * fromLab(y - (chroma[at(index + 2)] as number) / 200);
      multiplyInPlace(matrix, light);
      for (let channel = 0; channel < 3; channel++) out[index + channel] = encode(light[channel] as number);
      if (channels > 3) out[index + 3] = isDeep ? at(index + 3) >> 8 : at(index + 3);
    }
  };
}

/**
 * Returns (L* + 16) / 116, and a* or b*, of each value.
 *
 * @param one - the value of 1 of a* and b*
 */
function labTables(one: number, isSigned: boolean): { lightness: Float64Array; chroma: Float64Array } {
  const count = 256 * one;
  const lightest = isSigned ? count - 1 : 255 * one;
  const zero = isSigned ? 0 : count / 2;
  const chromaOf = (value: number) => (((value - zero + 1.5 * count) % count) - count / 2) / one;
  return {
    lightness: Float64Array.from({ length: count }, (_, value) => ((value / lightest) * 100 + 16) / 116),
    chroma: Float64Array.from({ length: count }, (_, value) => chromaOf(value)),
  };
}
