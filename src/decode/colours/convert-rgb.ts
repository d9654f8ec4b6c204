import { BT2020_PRIMARIES, CICP, SRGB_PRIMARIES, srgbEncoder } from './cicp.ts';
import type { Levels, RgbColours } from './colours.ts';
import { conversionMatrix, multiplyInPlace, type Triple } from './rgb-matrix.ts';
import { hdrTransferOf, hlgDisplayGain, toneMap } from './tone-map.ts';

const ALL: Levels = { black: 0, white: 1 };
const ALL_LEVELS: NonNullable<RgbColours['levels']> = [ALL, ALL, ALL];

/**
 * Returns what converts pixels of RGB to sRGB. HDR is tone-mapped. What lies outside of sRGB is clipped in each channel, as browsers do.
 *
 * @param pixels - RGB or RGBA, in 8 or 16 bits a channel
 * @param out - as many values in 8 bits; may be the same array
 * @returns a function that converts the pixels from one index to another
 */
export function rgbConverter(
  pixels: Uint8Array | Uint16Array,
  channels: 3 | 4,
  colours: RgbColours,
  out: Uint8Array,
): (first: number, end: number) => void {
  const isDeep = pixels instanceof Uint16Array;
  const [reds, greens, blues] = lightOfValues(colours, isDeep ? 65_535 : 255);
  const encode = srgbEncoder();
  const toSrgbLight = lightConverter(colours);
  // One for all pixels: there are millions.
  const light: Triple = [0, 0, 0];
  return (first, end) => {
    for (let at = first * channels; at < end * channels; at += channels) {
      light[0] = reds[pixels[at] as number] as number;
      light[1] = greens[pixels[at + 1] as number] as number;
      light[2] = blues[pixels[at + 2] as number] as number;
      toSrgbLight(light);
      for (let channel = 0; channel < 3; channel++) {
        out[at + channel] = encode(light[channel] as number);
      }
      if (channels === 4) out[at + 3] = isDeep ? (pixels[at + 3] as number) >> 8 : (pixels[at + 3] as number);
    }
  };
}

/** Returns the light of each value of a channel. For HDR, that is relative to the reference white, or of the scene. */
function lightOfValues(
  { transfer, levels }: RgbColours,
  largest: number,
): [Float64Array, Float64Array, Float64Array] {
  const curve = typeof transfer === 'function' ? transfer : hdrTransferOf(transfer.code);
  const lightWith = ({ black, white }: Levels) =>
    Float64Array.from({ length: largest + 1 }, (_, value) =>
      curve(Math.min(1, Math.max(0, (value / largest - black) / (white - black)))),
    );
  const [red, green, blue] = levels ?? ALL_LEVELS;
  return [lightWith(red), lightWith(green), lightWith(blue)];
}

/** Returns what changes the light of a pixel to linear sRGB. */
function lightConverter({ primaries, transfer }: RgbColours): (light: Triple) => void {
  if (typeof transfer === 'function') {
    const matrix = conversionMatrix(primaries, SRGB_PRIMARIES);
    return (light) => multiplyInPlace(matrix, light);
  }
  const toBt2020 = conversionMatrix(primaries, BT2020_PRIMARIES);
  const toSrgb = conversionMatrix(BT2020_PRIMARIES, SRGB_PRIMARIES);
  const map = toneMap(transfer.peak);
  const isSceneLight = transfer.code === CICP.HLG;
  return (light) => {
    if (isSceneLight) scale(light, hlgDisplayGain(light[0], light[1], light[2]));
    multiplyInPlace(toBt2020, light);
    const brightest = Math.max(light[0], light[1], light[2]);
    if (brightest > 0) scale(light, map(brightest) / brightest);
    multiplyInPlace(toSrgb, light);
  };
}

function scale(light: Triple, factor: number): void {
  light[0] *= factor;
  light[1] *= factor;
  light[2] *= factor;
}
