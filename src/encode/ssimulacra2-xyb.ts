/** Pixels of 8-bit sRGB, three bytes each (R, G, B), row after row, nothing in between. */
export interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

type Planes = [Float32Array, Float32Array, Float32Array];

/** Planes of the full size; a smaller scale fills their beginning. */
export interface XybBuffers {
  linear: Planes;
  /** X, Y, B of the scale that is being visited. */
  xyb: Planes;
}

export const B_CHANNEL = 2;

const SCALES = 6;
const MIN_SIDE = 8;

/** IEC 61966-2-1. */
const LINEAR = Float32Array.from({ length: 256 }, (_, level) => {
  const v = level / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

const OPSIN_BIAS = 0.0037930732552754493;
const OPSIN_BIAS_CBRT = Math.cbrt(OPSIN_BIAS);

export function createXybBuffers(width: number, height: number): XybBuffers {
  const plane = () => new Float32Array(width * height);
  return { linear: [plane(), plane(), plane()], xyb: [plane(), plane(), plane()] };
}

/**
 * Brings an image to XYB at full size, a half, … 1/32, as SSIMULACRA2 looks at it. It stops before a scale of less than
 * 8 pixels on a side, but never before the first.
 *
 * @param wantsB - whether B is needed at a scale; it costs a third of the conversion
 * @param visit - called while `buffers.xyb` holds the scale, `width × height` values a channel
 */
export function forEachScale(
  image: RgbImage,
  { linear, xyb }: XybBuffers,
  wantsB: (scale: number) => boolean,
  visit: (scale: number, width: number, height: number) => void,
): void {
  let { width, height } = image;
  toLinear(image, linear);
  for (let scale = 0; scale < SCALES; scale++) {
    if (scale > 0) {
      for (const plane of linear) halve(plane, width, height);
      width = Math.ceil(width / 2);
      height = Math.ceil(height / 2);
      if (Math.min(width, height) < MIN_SIDE) return;
    }
    toXyb(linear, xyb, width * height, wantsB(scale));
    visit(scale, width, height);
  }
}

function toLinear({ data, width, height }: RgbImage, [red, green, blue]: Planes): void {
  for (let i = 0, at = 0; i < width * height; i++, at += 3) {
    red[i] = LINEAR[data[at] as number] as number;
    green[i] = LINEAR[data[at + 1] as number] as number;
    blue[i] = LINEAR[data[at + 2] as number] as number;
  }
}

/** In place: no result lands on a pixel that is still to be read. */
function halve(plane: Float32Array, width: number, height: number): void {
  let to = 0;
  for (let y = 0; y < height; y += 2) {
    const upper = y * width;
    const lower = Math.min(y + 1, height - 1) * width;
    for (let x = 0; x < width; x += 2) {
      const next = Math.min(x + 1, width - 1);
      const left = (plane[upper + x] as number) + (plane[lower + x] as number);
      plane[to++] = (left + (plane[upper + next] as number) + (plane[lower + next] as number)) / 4;
    }
  }
}

function toXyb([red, green, blue]: Planes, [xs, ys, bs]: Planes, pixels: number, wantsB: boolean): void {
  for (let i = 0; i < pixels; i++) {
    const r = red[i] as number;
    const g = green[i] as number;
    const b = blue[i] as number;
    const l = opsin(0.3 * r + 0.622 * g + 0.078 * b);
    const m = opsin(0.23 * r + 0.692 * g + 0.078 * b);
    const y = (l + m) / 2;
    // 14 times (l − m) / 2. The offsets make all three positive.
    xs[i] = 7 * (l - m) + 0.42;
    ys[i] = y + 0.01;
    if (!wantsB) continue;
    bs[i] = opsin(0.24342268924547819 * r + 0.20476744424496821 * g + 0.5518098666509536 * b) - y + 0.55;
  }
}

function opsin(linear: number): number {
  return Math.cbrt(linear + OPSIN_BIAS) - OPSIN_BIAS_CBRT;
}
