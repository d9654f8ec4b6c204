// SSIMULACRA2 v2.1 (Cloudinary, BSD-3-Clause) in AssemblyScript, which has the syntax of TypeScript and compiles to WebAssembly with SIMD:
// five times as fast as JavaScript. `npm run build:metric` compiles it to ssimulacra2.wasm, which is committed, so that only a change here
// needs the compiler. An instance holds one original at a time and scores any number of candidates; its memory is freed with the instance.

import { MARGIN_ROWS } from './gaussian.ts';
import { compare, comparedRows, describe, scratchBytes } from './likeness.ts';
import { halve, toLinear, toXyb } from './planes.ts';
import { CHANNELS, MAPS, matters, SCALES, weigh } from './weights.ts';

const X: i32 = 0;
const Y: i32 = 1;
const B: i32 = 2;
/** Scales that are smaller than this on a side are left out, except the first. */
const MIN_SIDE: i32 = 8;
const LEVELS: i32 = 256;
/**
 * Of a plane with several times as many pixels, only some rows are compared: that changes nine scores in ten by less than 0.1, 98 in 100 by
 * less than 0.2, and halves the work.
 */
const ENOUGH_PIXELS: i32 = 32768;

let width: i32 = 0;
let height: i32 = 0;
let pixels: usize = 0;
let table: usize = 0;
let sums: usize = 0;
let scratch: usize = 0;
/** Pointers to linear light by channel: two rows at full size, and all of the scale that is being made. */
const rows: StaticArray<usize> = new StaticArray<usize>(CHANNELS);
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

/** Takes memory for a plane with margins, and returns the address of its first row. */
function takePlane(stride: i32, h: i32): usize {
  return take(planeBytes(stride, h + 2 * MARGIN_ROWS)) + planeBytes(stride, MARGIN_ROWS);
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
  const stride = strideOf(width);
  pixels = take(<usize>width * <usize>height * CHANNELS);
  table = take(LEVELS * 4);
  sums = take(MAPS * 8);
  scratch = take(scratchBytes(stride));
  for (let channel = 0; channel < CHANNELS; channel++) {
    rows[channel] = take(planeBytes(stride, 2));
    linear[channel] = take(planeBytes(strideOf((width + 1) >> 1), (height + 1) >> 1));
    xyb[channel] = matters(channel, 0) ? takePlane(stride, height) : takePlane(strideOf((width + 1) >> 1), (height + 1) >> 1);
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
    const step = stepOf(w, h);
    for (let channel = 0; channel < CHANNELS; channel++) {
      if (!matters(channel, scale)) continue;
      const at = placeOf(channel, scale);
      originals[at] = takePlane(stride, h);
      for (let part = 1; part < 3; part++) originals[at + part] = take(planeBytes(stride, comparedRows(h, step)));
      const margin = planeBytes(stride, MARGIN_ROWS);
      memory.copy(originals[at] - margin, xyb[channel] - margin, planeBytes(stride, h) + 2 * margin);
      describe(originals[at], originals[at + 1], originals[at + 2], h, stride, step, scratch);
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
    const step = stepOf(w, h);
    for (let channel = 0; channel < CHANNELS; channel++) {
      if (!matters(channel, scale)) continue;
      const at = placeOf(channel, scale);
      memory.fill(sums, 0, MAPS * 8);
      compare(originals[at], originals[at + 1], originals[at + 2], xyb[channel], w, h, stride, step, scratch, sums);
      weighted += weigh(channel, scale, sums, <f64>w * <f64>comparedRows(h, step));
    }
    w = (w + 1) >> 1;
    h = (h + 1) >> 1;
  }
  return scoreOf(weighted);
}

/** Converts the written pixels (scale 0), or linear light, to XYB at a scale of this size, and halves linear light for the next scale. */
function toScale(scale: i32, w: i32, h: i32): void {
  const stride = strideOf(w);
  const halfStride = strideOf((w + 1) >> 1);
  for (let channel = 0; channel < CHANNELS; channel++) clearMargins(xyb[channel], stride, h, matters(channel, scale));
  for (let y = 0; y < h; y += 2) {
    if (scale == 0) readRows(y, stride);
    const first = scale == 0 ? 0 : y;
    const second = y + 1 < h ? first + 1 : first;
    toXybRow(scale, first, y, w, stride);
    if (second > first) toXybRow(scale, second, y + 1, w, stride);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const from = scale == 0 ? rows[channel] : linear[channel];
      const to = linear[channel] + planeBytes(halfStride, y >> 1);
      halve(from + planeBytes(stride, first), from + planeBytes(stride, second), to, w, halfStride);
    }
  }
}

/** Converts two rows of the written pixels to linear light. */
function readRows(y: i32, stride: i32): void {
  for (let i = 0; i < 2 && y + i < height; i++) {
    const at = planeBytes(stride, i);
    const row = pixels + <usize>(y + i) * <usize>width * CHANNELS;
    toLinear(row, table, rows[0] + at, rows[1] + at, rows[2] + at, width, stride);
  }
}

/** Converts a row of linear light to XYB, as far as that matters. */
function toXybRow(scale: i32, from: i32, to: i32, w: i32, stride: i32): void {
  const light = scale == 0 ? rows : linear;
  const at = planeBytes(stride, from);
  const out = planeBytes(stride, to);
  const xs = matters(X, scale) ? xyb[X] + out : 0;
  const bs = matters(B, scale) ? xyb[B] + out : 0;
  toXyb(light[0] + at, light[1] + at, light[2] + at, xs, xyb[Y] + out, bs, w, stride);
}

function clearMargins(plane: usize, stride: i32, h: i32, isUsed: bool): void {
  if (!isUsed) return;
  const margin = planeBytes(stride, MARGIN_ROWS);
  memory.fill(plane - margin, 0, margin);
  memory.fill(plane + planeBytes(stride, h), 0, margin);
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

/**
 * Returns how many rows there are for each that is compared: fewer, as long as enough pixels are. Odd numbers, since the errors of encoders
 * repeat in blocks of 8 rows, of which none is to be preferred.
 */
function stepOf(w: i32, h: i32): i32 {
  const pixels = w * h;
  return pixels >= 5 * ENOUGH_PIXELS ? 5 : pixels >= 3 * ENOUGH_PIXELS ? 3 : 1;
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
