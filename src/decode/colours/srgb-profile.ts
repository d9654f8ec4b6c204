import { SRGB_PRIMARIES, srgbEncoder, type TransferFunction } from './cicp.ts';
import { type IccProfile, readCurve, readIccProfile } from './icc-profile.ts';
import { CONNECTION_WHITE } from './icc-table.ts';
import { type Matrix, matrixFromXyz, multiplyInPlace, product, type Row, transposed } from './rgb-matrix.ts';

/** The levels of each channel in the colours that are compared, beside all greys. */
const GRID = [0, 32, 96, 160, 255] as const;
/** The largest difference of a level: applying the profile, with its rounding, makes as much of one. */
const MAX_DIFFERENCE = 1;

/** The last profiles, with what was found: a few are in most pictures, and reading one takes a millisecond. */
const known: { bytes: Buffer; isSrgb: boolean }[] = [];
const MAX_KNOWN = 16;
const MAX_KNOWN_BYTES = 16_384;

/**
 * Whether an ICC profile of RGB describes sRGB, so that applying it changes no level by more than one. Most cameras and phones embed such a
 * profile, each in its own form: what counts are its primaries and its curves.
 *
 * @param bytes - of the profile
 */
export function isSrgbProfile(bytes: Buffer): boolean {
  const found = known.find((one) => one.bytes.equals(bytes));
  if (found) return found.isSrgb;
  const isSrgb = readsAsSrgb(bytes);
  if (bytes.length > MAX_KNOWN_BYTES) return isSrgb;
  known.unshift({ bytes: Buffer.from(bytes), isSrgb });
  known.splice(MAX_KNOWN);
  return isSrgb;
}

function readsAsSrgb(bytes: Buffer): boolean {
  try {
    const profile = readIccProfile(bytes);
    return profile?.space === 'RGB ' && profile.connectionSpace === 'XYZ ' && convertsToItself(profile);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function convertsToItself(profile: IccProfile): boolean {
  // A table goes before primaries and curves.
  if (profile.tag('A2B0') || profile.tag('A2B1')) return false;
  const [red, green, blue] = ['rTRC', 'gTRC', 'bTRC'].map((name) => curveOf(profile, name));
  const columns = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => xyzOf(profile, name));
  if (!red || !green || !blue || !isMatrix(columns)) return false;
  const toLight = product(matrixFromXyz(CONNECTION_WHITE, SRGB_PRIMARIES), transposed(columns));
  const encode = srgbEncoder();
  const [r, g, b] = [red, green, blue].map(levelsOf) as [Float64Array, Float64Array, Float64Array];
  const isSame = (colour: Row): boolean => {
    const light: [number, number, number] = [r[colour[0]] ?? 0, g[colour[1]] ?? 0, b[colour[2]] ?? 0];
    multiplyInPlace(toLight, light);
    return light.every(
      (value, channel) => Math.abs(encode(value) - (colour[channel] as number)) <= MAX_DIFFERENCE,
    );
  };
  for (let level = 0; level < 256; level++) if (!isSame([level, level, level])) return false;
  return GRID.every((first) => GRID.every((second) => GRID.every((third) => isSame([first, second, third]))));
}

function levelsOf(curve: TransferFunction): Float64Array {
  return Float64Array.from({ length: 256 }, (_, level) => curve(level / 255));
}

function curveOf(profile: IccProfile, name: string): TransferFunction | undefined {
  const element = profile.tag(name);
  return element && readCurve(element)?.curve;
}

/** Reads `XYZType` (section 10.31). */
function xyzOf(profile: IccProfile, name: string): Row | undefined {
  const element = profile.tag(name);
  return (
    element && [
      element.readInt32BE(8) / 65_536,
      element.readInt32BE(12) / 65_536,
      element.readInt32BE(16) / 65_536,
    ]
  );
}

function isMatrix(rows: readonly (Row | undefined)[]): rows is Matrix {
  return rows.every((row) => row !== undefined);
}
