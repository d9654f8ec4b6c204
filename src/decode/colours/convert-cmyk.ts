import { SRGB_PRIMARIES, srgbEncoder, type TransferFunction } from './cicp.ts';
import type { CmykColours } from './colours.ts';
import { CONNECTION_WHITE, type ColourTable } from './icc-table.ts';
import { matrixFromXyz, multiplyInPlace } from './rgb-matrix.ts';

const INKS = 4;
/** The corners of a cell of a table with four channels. */
const CORNERS = 2 ** INKS;

/** Writes the levels of red, green and blue of a pixel. */
type ConvertPixel = (from: number, to: number) => void;

/**
 * Returns what converts pixels of CMYK to sRGB, as browsers do: by the table of the profile, whose black is not made darker, or without one
 * by taking each ink for a perfect filter.
 *
 * @param pixels - CMYK with or without alpha, in 8 or 16 bits a channel; more is more ink. They may be overwritten
 * @param out - of RGB or RGBA
 * @returns a function that converts the pixels from one index to another
 */
export function cmykConverter(
  pixels: Uint8Array | Uint16Array,
  channels: 4 | 5,
  { table, isBlackReplaced }: CmykColours,
  out: Uint8Array,
): (first: number, end: number) => void {
  const largest = pixels instanceof Uint16Array ? 65_535 : 255;
  const convert = table ? byTable(pixels, largest, table, out) : byFilters(pixels, largest, out);
  return (first, end) => {
    if (table && isBlackReplaced) replaceBlack(pixels, channels, largest, first, end);
    for (let pixel = first; pixel < end; pixel++) {
      const from = pixel * channels;
      const to = pixel * (channels - 1);
      convert(from, to);
      if (channels > INKS) out[to + 3] = ((pixels[from + INKS] as number) * 255) / largest;
    }
  };
}

/** Counts black as that much more of each other ink, in place: the light that passes through one ink is what falls on the next. */
function replaceBlack(
  pixels: Uint8Array | Uint16Array,
  channels: number,
  largest: number,
  first: number,
  end: number,
): void {
  for (let at = first * channels; at < end * channels; at += channels) {
    const paper = (largest - (pixels[at + 3] as number)) / largest;
    for (let ink = at; ink < at + 3; ink++) {
      pixels[ink] = Math.round(largest - (largest - (pixels[ink] as number)) * paper);
    }
    pixels[at + 3] = 0;
  }
}

function byFilters(pixels: Uint8Array | Uint16Array, largest: number, out: Uint8Array): ConvertPixel {
  const scale = 255 / largest ** 2;
  return (from, to) => {
    const paper = (largest - (pixels[from + 3] as number)) * scale;
    for (let ink = 0; ink < 3; ink++) {
      out[to + ink] = Math.round((largest - (pixels[from + ink] as number)) * paper);
    }
  };
}

/** Interpolates between the levels of the sixteen points of the table around a pixel. */
function byTable(
  pixels: Uint8Array | Uint16Array,
  largest: number,
  { curves, points, xyzAt }: ColourTable,
  out: Uint8Array,
): ConvertPixel {
  const strides = points.map(
    (_, ink) => 3 * points.slice(ink + 1).reduce((product, count) => product * count, 1),
  );
  const levels = levelsOfPoints(
    points.reduce((product, count) => product * count, 1),
    xyzAt,
  );
  // Where each value of an ink lies in the table: a point, and the way to the next.
  const places = curves.map((curve, ink) => placesOf(curve, (points[ink] as number) - 1, largest));
  const weights = new Float64Array(CORNERS);
  const offsets = new Int32Array(CORNERS);
  return (from, to) => {
    let base = 0;
    weights[0] = 1;
    for (let ink = 0; ink < INKS; ink++) {
      const place = (places[ink] as Float64Array)[pixels[from + ink] as number] as number;
      const stride = strides[ink] as number;
      const point = Math.min(Math.floor(place), (points[ink] as number) - 2);
      const part = place - point;
      base += point * stride;
      for (let corner = 0, count = 1 << ink; corner < count; corner++) {
        const weight = weights[corner] as number;
        weights[corner + count] = weight * part;
        weights[corner] = weight * (1 - part);
        offsets[corner + count] = (offsets[corner] as number) + stride;
      }
    }
    for (let channel = 0; channel < 3; channel++) {
      let level = 0.5;
      for (let corner = 0; corner < CORNERS; corner++) {
        level +=
          (weights[corner] as number) * (levels[base + (offsets[corner] as number) + channel] as number);
      }
      out[to + channel] = level;
    }
  };
}

function levelsOfPoints(count: number, xyzAt: ColourTable['xyzAt']): Uint8Array {
  const matrix = matrixFromXyz(CONNECTION_WHITE, SRGB_PRIMARIES);
  const encode = srgbEncoder();
  const levels = new Uint8Array(3 * count);
  for (let point = 0; point < count; point++) {
    const light = xyzAt(point);
    multiplyInPlace(matrix, light);
    for (let channel = 0; channel < 3; channel++)
      levels[3 * point + channel] = encode(light[channel] as number);
  }
  return levels;
}

function placesOf(curve: TransferFunction, last: number, largest: number): Float64Array {
  return Float64Array.from(
    { length: largest + 1 },
    (_, value) => Math.min(1, Math.max(0, curve(value / largest))) * last,
  );
}
