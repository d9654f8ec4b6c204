import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pixels } from './pixels.ts';

// What libwebp calls sharp YUV, for AVIF: libvips lets libheif average chroma without it.

/** ITU-R BT.601, with which AVIF is encoded: luma, and red and green and blue from chroma. */
const [LUMA_R, LUMA_G, LUMA_B] = [0.299, 0.587, 0.114] as const;
const [RED_CR, GREEN_CB, GREEN_CR, BLUE_CB] = [1.402, -0.344136, -0.714136, 1.772] as const;
/** Luminance of linear light in sRGB (IEC 61966-2-1). */
const [LIGHT_R, LIGHT_G, LIGHT_B] = [0.2126, 0.7152, 0.0722] as const;

/** Linear light and its slope, by the level in steps of a sixteenth. */
const STEPS = 16;
const LIGHT = Float32Array.from({ length: 255 * STEPS + 1 }, (_, i) => toLight(i / STEPS / 255));
const SLOPE = LIGHT.map((_, i) => {
  const [low, high] = [Math.max(0, i - STEPS), Math.min(LIGHT.length - 1, i + STEPS)];
  return (((LIGHT[high] as number) - (LIGHT[low] as number)) * STEPS) / (high - low);
});

function toLight(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** More rows would keep other requests waiting for longer than a few milliseconds. */
const ROWS_PER_TURN = 32;
const NEWTON_STEPS = 3;

/** The chroma of a block of 2×2 pixels: what is left of it in 4:2:0. */
interface HalfChroma {
  cb: Float32Array;
  cr: Float32Array;
  width: number;
  height: number;
}

/**
 * Returns pixels that keep the brightness of the originals once their chroma is halved in both directions and interpolated again. Without
 * it, thin lines and letters in strong colours become too dark or too bright.
 */
export async function correctLuma(pixels: Pixels): Promise<Pixels> {
  const chroma = halveChroma(pixels);
  const data = Buffer.from(pixels.data);
  for (let row = 0; row < pixels.height; row++) {
    if (row % ROWS_PER_TURN === 0) await nextTurn();
    correctRow(pixels, chroma, row, data);
  }
  return { ...pixels, data };
}

function halveChroma({ data, width, height, channels }: Pixels): HalfChroma {
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  const cb = new Float32Array(halfWidth * halfHeight);
  const cr = new Float32Array(halfWidth * halfHeight);
  for (let y = 0; y < halfHeight; y++) {
    for (let x = 0; x < halfWidth; x++) {
      let [blue, red] = [0, 0];
      for (let i = 0; i < 4; i++) {
        const column = Math.min(width - 1, 2 * x + (i & 1));
        const at = (Math.min(height - 1, 2 * y + (i >> 1)) * width + column) * channels;
        const luma = lumaAt(data, at);
        blue += ((data[at + 2] as number) - luma) / BLUE_CB;
        red += ((data[at] as number) - luma) / RED_CR;
      }
      cb[y * halfWidth + x] = blue / 4;
      cr[y * halfWidth + x] = red / 4;
    }
  }
  return { cb, cr, width: halfWidth, height: halfHeight };
}

function correctRow(pixels: Pixels, chroma: HalfChroma, row: number, out: Buffer): void {
  const { data, width, channels } = pixels;
  for (let column = 0; column < width; column++) {
    const at = (row * width + column) * channels;
    const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    const light = LIGHT_R * lightAt(r) + LIGHT_G * lightAt(g) + LIGHT_B * lightAt(b);
    const cb = interpolate(chroma.cb, chroma, column, row);
    const cr = interpolate(chroma.cr, chroma, column, row);
    const luma = lumaFor(light, lumaAt(data, at), cb, cr);
    // The encoder averages the chroma of four pixels: give all of them the average.
    const block = (row >> 1) * chroma.width + (column >> 1);
    writeRgb(out, at, luma, chroma.cb[block] as number, chroma.cr[block] as number);
  }
}

/** Solves for the luma that gives a luminance together with some chroma, by Newton's method. */
function lumaFor(light: number, start: number, cb: number, cr: number): number {
  const [red, green, blue] = [RED_CR * cr, GREEN_CB * cb + GREEN_CR * cr, BLUE_CB * cb];
  let luma = start;
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const [r, g, b] = [indexOf(luma + red), indexOf(luma + green), indexOf(luma + blue)];
    const reached =
      LIGHT_R * (LIGHT[r] as number) + LIGHT_G * (LIGHT[g] as number) + LIGHT_B * (LIGHT[b] as number);
    const slope =
      LIGHT_R * (SLOPE[r] as number) + LIGHT_G * (SLOPE[g] as number) + LIGHT_B * (SLOPE[b] as number);
    luma = clamp(luma + (light - reached) / slope);
  }
  return luma;
}

/** Interpolates between the centres of blocks, linearly, as decoders do. */
function interpolate(
  plane: Float32Array,
  { width, height }: HalfChroma,
  column: number,
  row: number,
): number {
  const [x, y] = [column >> 1, row >> 1];
  const besideX = Math.min(width - 1, Math.max(0, x + (column & 1 ? 1 : -1)));
  const besideY = Math.min(height - 1, Math.max(0, y + (row & 1 ? 1 : -1)));
  const own = plane[y * width + x] as number;
  const left = plane[y * width + besideX] as number;
  const above = plane[besideY * width + x] as number;
  const corner = plane[besideY * width + besideX] as number;
  return (9 * own + 3 * left + 3 * above + corner) / 16;
}

function lumaAt(data: Buffer, at: number): number {
  return (
    LUMA_R * (data[at] as number) + LUMA_G * (data[at + 1] as number) + LUMA_B * (data[at + 2] as number)
  );
}

function writeRgb(out: Buffer, at: number, luma: number, cb: number, cr: number): void {
  out[at] = Math.round(clamp(luma + RED_CR * cr));
  out[at + 1] = Math.round(clamp(luma + GREEN_CB * cb + GREEN_CR * cr));
  out[at + 2] = Math.round(clamp(luma + BLUE_CB * cb));
}

function lightAt(level: number): number {
  return LIGHT[level * STEPS] as number;
}

function indexOf(level: number): number {
  return Math.round(clamp(level) * STEPS);
}

function clamp(level: number): number {
  return level < 0 ? 0 : level > 255 ? 255 : level;
}
