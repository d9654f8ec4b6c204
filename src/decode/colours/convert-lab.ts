import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { type Chromaticity, SRGB_PRIMARIES, srgbEncoder } from './cicp.ts';
import { fromLab } from './icc-table.ts';
import { matrixFromXyz, multiplyInPlace, type Triple } from './rgb-matrix.ts';

/** Some 20 ms of work: other requests are answered in between. */
const PIXELS_AT_ONCE = 50_000;

/** The usual white of L*a*b* in files, such as Photoshop's. */
export const D50: Chromaticity = [0.3457, 0.3585];

/** How L*a*b* are stored. */
interface LabEncoding {
  /** The white that they are relative to. */
  white: Chromaticity;
  /** Whether a* and b* are signed numbers; otherwise 0 is in the middle of the range, and L* ends at that of 8 bits. */
  isSigned: boolean;
}

/**
 * Converts pixels of L*a*b* to sRGB (CIE 15:2018, section 8.2.1).
 *
 * @param values - of 8 or 16 bits, L* first; a* and b* in steps of 1, or of 1/256
 * @param channels - 3, or 4 with alpha
 * @returns as many channels in 8 bits
 */
export async function convertLab(
  values: Uint8Array | Uint16Array,
  channels: number,
  { white, isSigned }: LabEncoding,
): Promise<Buffer> {
  const [whiteX, whiteZ] = [white[0] / white[1], (1 - white[0] - white[1]) / white[1]];
  const isDeep = values instanceof Uint16Array;
  const { lightness, chroma } = labTables(isDeep ? 256 : 1, isSigned);
  const matrix = matrixFromXyz([whiteX, 1, whiteZ], SRGB_PRIMARIES);
  const encode = srgbEncoder();
  const out = Buffer.alloc(values.length);
  const light: Triple = [0, 0, 0];
  const at = (index: number) => values[index] as number;
  for (let index = 0; index < values.length; index += channels) {
    const y = lightness[at(index)] as number;
    light[0] = whiteX * fromLab(y + (chroma[at(index + 1)] as number) / 500);
    light[1] = fromLab(y);
    light[2] = whiteZ * fromLab(y - (chroma[at(index + 2)] as number) / 200);
    multiplyInPlace(matrix, light);
    for (let channel = 0; channel < 3; channel++) out[index + channel] = encode(light[channel] as number);
    if (channels > 3) out[index + 3] = isDeep ? at(index + 3) >> 8 : at(index + 3);
    if ((index / channels) % PIXELS_AT_ONCE === 0) await yieldToEventLoop();
  }
  return out;
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
