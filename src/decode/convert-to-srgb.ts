import { BT2020_PRIMARIES, CICP, SRGB_PRIMARIES } from './cicp.ts';
import type { Colours, Levels } from './colours.ts';
import { conversionMatrix, type Matrix, type Row } from './rgb-matrix.ts';
import { hdrTransferOf, hlgDisplayGain, toneMap } from './tone-map.ts';

/** Steps of linear light in the table that encodes it: the darkest level of sRGB has twenty of them. */
const LIGHT_STEPS = 65_535;
const ALL: Levels = { black: 0, white: 1 };
const ALL_LEVELS: NonNullable<Colours['levels']> = [ALL, ALL, ALL];

/** The light of one pixel, which its converter changes in place: one object for all pixels, since there are millions of them. */
type Light = [number, number, number];

/**
 * Converts pixels to sRGB. HDR is tone-mapped. What lies outside of sRGB is clipped in each channel, as browsers do.
 *
 * @param pixels - RGB or RGBA, in 8 or 16 bits a channel
 * @returns as many channels, in 8 bits; the same array if it had 8 bits
 */
export function convertToSrgb<T extends Uint8Array>(
  pixels: T | Uint16Array,
  channels: 3 | 4,
  colours: Colours,
): T | Uint8Array<ArrayBuffer> {
  const isDeep = pixels instanceof Uint16Array;
  const out = isDeep ? new Uint8Array(pixels.length) : pixels;
  const [reds, greens, blues] = lightOfValues(colours, isDeep ? 65_535 : 255);
  const srgb = srgbOfLight();
  const toSrgbLight = lightConverter(colours);
  const light: Light = [0, 0, 0];
  for (let at = 0; at < pixels.length; at += channels) {
    light[0] = reds[pixels[at] as number] as number;
    light[1] = greens[pixels[at + 1] as number] as number;
    light[2] = blues[pixels[at + 2] as number] as number;
    toSrgbLight(light);
    for (let channel = 0; channel < 3; channel++) {
      const step = Math.round((light[channel] as number) * LIGHT_STEPS);
      out[at + channel] = srgb[Math.min(LIGHT_STEPS, Math.max(0, step))] as number;
    }
    if (channels === 4 && isDeep) out[at + 3] = (pixels[at + 3] as number) >> 8;
  }
  return out;
}

/** Returns the light of each value of a channel. For HDR, that is relative to the reference white, or of the scene. */
function lightOfValues(
  { transfer, levels }: Colours,
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

/** IEC 61966-2-1. */
function srgbOfLight(): Uint8Array {
  return Uint8Array.from({ length: LIGHT_STEPS + 1 }, (_, step) => {
    const light = step / LIGHT_STEPS;
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
}

/** Returns what changes the light of a pixel to linear sRGB. */
function lightConverter({ primaries, transfer }: Colours): (light: Light) => void {
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

function scale(light: Light, factor: number): void {
  light[0] *= factor;
  light[1] *= factor;
  light[2] *= factor;
}

function multiplyInPlace([first, second, third]: Matrix, light: Light): void {
  const [red, green, blue] = light;
  light[0] = weighted(first, red, green, blue);
  light[1] = weighted(second, red, green, blue);
  light[2] = weighted(third, red, green, blue);
}

function weighted([a, b, c]: Row, red: number, green: number, blue: number): number {
  return a * red + b * green + c * blue;
}
