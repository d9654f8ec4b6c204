// SSIMULACRA2 v2.1 (Cloudinary, BSD-3-Clause) in AssemblyScript, which has the syntax of TypeScript and compiles to WebAssembly with SIMD:
// five times as fast as JavaScript. `npm run build:metric` compiles it to ssimulacra2.wasm, which is committed, so that only a change here
// needs the compiler. An instance holds one original at a time and scores any number of candidates; its memory is freed with the instance.

import { compare, describe, scratchBytes } from './likeness.ts';
import { halve, toLinear, toXyb } from './planes.ts';
import { CHANNELS, MAPS, matters, SCALES, weigh } from './weights.ts';

const B: i32 = 2;
/** Scales that are smaller than this on a side are left out, except the first. */
const MIN_SIDE: i32 = 8;
const LEVELS: i32 = 256;

let width: i32 = 0;
let height: i32 = 0;
/** The size of the scale that is in `linear`. */
let lastWidth: i32 = 0;
let lastHeight: i32 = 0;
let pixels: usize = 0;
let table: usize = 0;
let sums: usize = 0;
let scratch: usize = 0;
const linear: StaticArray<usize> = new StaticArray<usize>(CHANNELS);
const xyb: StaticArray<usize> = new StaticArray<usize>(CHANNELS);
/** Pointers to the values, means and variances of the original, by channel and scale; 0 where the weights are negligible. */
const originals: StaticArray<usize> = new StaticArray<usize>(3 * CHANNELS * SCALES);
/** All memory of one original, which the next one takes over: the last block of the heap, which grows in place. */
const arena: usize = heap.alloc(0);
let used: usize = 0;

function take(bytes: usize): usize {
  const at = arena + used;
  used += (bytes + 15) & ~15;
  heap.realloc(arena, used);
  return at;
}

/**
 * Allocates memory for images of a size, in place of what the instance held before.
 *
 * @returns the address to write the pixels of an image to: 8-bit sRGB, three bytes each, rows from top to bottom, without padding
 */
export function open(pictureWidth: i32, pictureHeight: i32): usize {
  used = 0;
  width = pictureWidth;
  height = pictureHeight;
  const fullPlane = planeBytes(strideOf(width), height);
  pixels = take(<usize>width * <usize>height * CHANNELS);
  table = take(LEVELS * 4);
  sums = take(MAPS * 8);
  scratch = take(scratchBytes(strideOf(width)));
  for (let channel = 0; channel < CHANNELS; channel++) {
    linear[channel] = take(fullPlane);
    xyb[channel] = take(fullPlane);
  }
  for (let level = 0; level < LEVELS; level++)
    store<f32>(table + ((<usize>level) << 2), <f32>linearOf(<f64>level / 255));
  return pixels;
}

/** Makes the written image the original. */
export function setOriginal(): void {
  let w = width;
  let h = height;
  for (let scale = 0; isLooked(scale, w, h); scale++) {
    toScale(scale, w, h);
    const stride = strideOf(w);
    for (let channel = 0; channel < CHANNELS; channel++) {
      if (!matters(channel, scale)) continue;
      const bytes = planeBytes(stride, h);
      const at = placeOf(channel, scale);
      for (let part = 0; part < 3; part++) originals[at + part] = take(bytes);
      memory.copy(originals[at], xyb[channel], bytes);
      describe(originals[at], originals[at + 1], originals[at + 2], h, stride, scratch);
    }
    w = (w + 1) >> 1;
    h = (h + 1) >> 1;
  }
}

/** Scores the written image against the original: 100 for identical, with no lower bound. */
export function score(): f64 {
  let weighted: f64 = 0;
  let w = width;
  let h = height;
  for (let scale = 0; isLooked(scale, w, h); scale++) {
    toScale(scale, w, h);
    const stride = strideOf(w);
    for (let channel = 0; channel < CHANNELS; channel++) {
      if (!matters(channel, scale)) continue;
      const at = placeOf(channel, scale);
      memory.fill(sums, 0, MAPS * 8);
      compare(originals[at], originals[at + 1], originals[at + 2], xyb[channel], w, h, stride, scratch, sums);
      weighted += weigh(channel, scale, sums, <f64>w * <f64>h);
    }
    w = (w + 1) >> 1;
    h = (h + 1) >> 1;
  }
  return scoreOf(weighted);
}

/** Converts the written pixels (scale 0), or the linear light of the previous scale, to XYB at a scale of this size. */
function toScale(scale: i32, w: i32, h: i32): void {
  const stride = strideOf(w);
  if (scale == 0) toLinear(pixels, table, linear[0], linear[1], linear[2], w, h, stride);
  else
    for (let channel = 0; channel < CHANNELS; channel++)
      halve(linear[channel], lastWidth, lastHeight, stride);
  lastWidth = w;
  lastHeight = h;
  toXyb(linear[0], linear[1], linear[2], xyb[0], xyb[1], matters(B, scale) ? xyb[2] : 0, w, h, stride);
}

/** Maps the weighted sum to a score that matches human opinion. */
function scoreOf(weighted: f64): f64 {
  const x = 0.9562382616834844 * weighted;
  const distance = 2.326765642916932 * x - 0.020884521182843837 * x * x + 6.248496625763138e-5 * x * x * x;
  return distance > 0 ? 100 - 10 * distance ** 0.6276336467831387 : 100;
}

/** The transfer function of sRGB (IEC 61966-2-1). */
function linearOf(v: f64): f64 {
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

function isLooked(scale: i32, w: i32, h: i32): bool {
  return scale < SCALES && (scale == 0 || min(w, h) >= MIN_SIDE);
}

function placeOf(channel: i32, scale: i32): i32 {
  return 3 * (channel * SCALES + scale);
}

function strideOf(w: i32): i32 {
  return (w + 3) & ~3;
}

function planeBytes(stride: i32, h: i32): usize {
  return <usize>stride * <usize>h * 4;
}
