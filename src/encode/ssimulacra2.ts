import { type BlurBuffers, blurRows, createBlurBuffers } from './ssimulacra2-blur.ts';
import { MAPS, matters, weigh } from './ssimulacra2-weights.ts';
import {
  B_CHANNEL,
  createXybBuffers,
  forEachScale,
  type RgbImage,
  type XybBuffers,
} from './ssimulacra2-xyb.ts';

export type { RgbImage } from './ssimulacra2-xyb.ts';

/** All of an original that does not depend on what it is compared with. Made by {@link prepareReference}. */
export interface Reference {
  readonly width: number;
  readonly height: number;
  /** `[scale][channel]`; `undefined` where the weights make it pointless. */
  readonly scales: readonly (readonly (ReferencePlane | undefined)[])[];
  /** Scratch, so that scoring allocates nothing of the size of an image. */
  readonly buffers: XybBuffers & BlurBuffers;
}

interface ReferencePlane {
  values: Float32Array;
  /** Doubles, as of the candidate: rounded on one side only, an identical image would not reach 100. */
  mean: Float64Array;
  variance: Float64Array;
}

const STRUCTURE_C2 = 0.0009;

/** Takes in an original once, for any number of {@link score} calls. It holds about 60 bytes a pixel. */
export function prepareReference(image: RgbImage): Reference {
  const { width, height } = image;
  const buffers = { ...createXybBuffers(width, height), ...createBlurBuffers(width) };
  const scales: (ReferencePlane | undefined)[][] = [];
  forEachScale(image, buffers, wantsB, (scale, scaleWidth, scaleHeight) => {
    scales[scale] = buffers.xyb.map((plane, channel) =>
      matters(channel, scale) ? describePlane(plane, scaleWidth, scaleHeight, buffers) : undefined,
    );
  });
  return { width, height, scales, buffers };
}

/**
 * How much alike a candidate looks, by SSIMULACRA2 v2.1 (Cloudinary, BSD-3-Clause).
 *
 * Scales that would be under 8 pixels on a side are left out. Each weight stays with its own channel and scale, where
 * Cloudinary's program deals out its list from the start and so pairs them otherwise once a scale is missing: under
 * 256 pixels on a side the two may differ.
 *
 * @param image - of the size of the reference
 * @returns 100 for identical, 90 visually lossless, 70 high quality, 50 medium, 30 low; no lower bound
 * @throws RangeError when the sizes differ
 */
export function score(reference: Reference, image: RgbImage): number {
  const { buffers, scales } = reference;
  if (image.width !== reference.width || image.height !== reference.height) {
    throw new RangeError(
      `cannot score ${image.width}×${image.height} pixels against ${reference.width}×${reference.height}`,
    );
  }
  let weighted = 0;
  forEachScale(image, buffers, wantsB, (scale, width, height) => {
    scales[scale]?.forEach((original, channel) => {
      const plane = buffers.xyb[channel];
      if (!original || !plane) return;
      const sums = comparePlanes(original, plane, width, height, buffers);
      weighted += weigh(channel, scale, sums, width * height);
    });
  });
  return scoreOf(weighted);
}

function wantsB(scale: number): boolean {
  return matters(B_CHANNEL, scale);
}

function describePlane(
  plane: Float32Array,
  width: number,
  height: number,
  buffers: BlurBuffers,
): ReferencePlane {
  const values = plane.slice(0, width * height);
  const mean = new Float64Array(width * height);
  const variance = new Float64Array(width * height);
  blurRows(buffers, 2, width, height, {
    load: (y, [first, squares], margin) => {
      for (let x = 0, at = y * width; x < width; x++, at++) {
        const a = values[at] as number;
        first[x + margin] = a;
        squares[x + margin] = a * a;
      }
    },
    take: (y, [first, squares]) => {
      for (let x = 0, at = y * width; x < width; x++, at++) {
        const m = first[x] as number;
        mean[at] = m;
        variance[at] = (squares[x] as number) - m * m;
      }
    },
  });
  return { values, mean, variance };
}

/** @returns sums over all pixels, in the order that {@link weigh} takes */
function comparePlanes(
  original: ReferencePlane,
  plane: Float32Array,
  width: number,
  height: number,
  buffers: BlurBuffers,
): Float64Array {
  const sums = new Float64Array(MAPS);
  blurRows(buffers, 3, width, height, {
    load: (y, [first, squares, products], margin) => {
      for (let x = 0, at = y * width; x < width; x++, at++) {
        const b = plane[at] as number;
        first[x + margin] = b;
        squares[x + margin] = b * b;
        products[x + margin] = b * (original.values[at] as number);
      }
    },
    take: (y, rows) => {
      addStructure(sums, original, rows, y * width, width);
      addEdges(sums, original, plane, rows[0], y * width, width);
    },
  });
  return sums;
}

/** What of the original's structure is gone: as in SSIM, whose term for brightness is simpler here. */
function addStructure(
  sums: Float64Array,
  { mean, variance }: ReferencePlane,
  [means, squares, products]: readonly [Float64Array, Float64Array, Float64Array],
  from: number,
  width: number,
): void {
  let sum1 = 0;
  let sum4 = 0;
  for (let x = 0, at = from; x < width; x++, at++) {
    const m1 = mean[at] as number;
    const m2 = means[x] as number;
    const covariance = (products[x] as number) - m1 * m2;
    const variances = (variance[at] as number) + ((squares[x] as number) - m2 * m2);
    const likeness = (1 - (m1 - m2) * (m1 - m2)) * (2 * covariance + STRUCTURE_C2);
    const d = Math.max(0, 1 - likeness / (variances + STRUCTURE_C2));
    sum1 += d;
    sum4 += d * d * d * d;
  }
  sums[0] = (sums[0] as number) + sum1;
  sums[3] = (sums[3] as number) + sum4;
}

/** Edges that the candidate has added (ringing, blocks) and those that it has lost (blur). */
function addEdges(
  sums: Float64Array,
  { values, mean }: ReferencePlane,
  plane: Float32Array,
  means: Float64Array,
  from: number,
  width: number,
): void {
  let ringing1 = 0;
  let ringing4 = 0;
  let blur1 = 0;
  let blur4 = 0;
  for (let x = 0, at = from; x < width; x++, at++) {
    const candidate = 1 + Math.abs((plane[at] as number) - (means[x] as number));
    const original = 1 + Math.abs((values[at] as number) - (mean[at] as number));
    const e = candidate / original - 1;
    const ringing = Math.max(0, e);
    const blur = Math.max(0, -e);
    ringing1 += ringing;
    ringing4 += ringing * ringing * ringing * ringing;
    blur1 += blur;
    blur4 += blur * blur * blur * blur;
  }
  sums[1] = (sums[1] as number) + ringing1;
  sums[2] = (sums[2] as number) + blur1;
  sums[4] = (sums[4] as number) + ringing4;
  sums[5] = (sums[5] as number) + blur4;
}

/** Brings the weighted sum onto the scale of human opinion. */
function scoreOf(weighted: number): number {
  const x = 0.9562382616834844 * weighted;
  const distance = 2.326765642916932 * x - 0.020884521182843837 * x ** 2 + 6.248496625763138e-5 * x ** 3;
  return distance > 0 ? 100 - 10 * distance ** 0.6276336467831387 : 100;
}
