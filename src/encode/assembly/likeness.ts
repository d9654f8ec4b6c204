// Compares two planes by the means, variances and covariance around each pixel of every row or, since a blur makes neighbours alike, of some.

import { blur, blurProducts, MARGIN_BYTES } from './gaussian.ts';
import { lastLanes } from './planes.ts';

/** The signals that are blurred: the values, their squares, and their products with the original's values. */
const SIGNALS: usize = 3;
/** The distance of neighbours in a row, in bytes. */
const NEXT: usize = 4;

const STRUCTURE_C2: f32 = 0.0009;

/** The size of the scratch memory of {@link describe} and {@link compare}. */
export function scratchBytes(stride: i32): usize {
  return SIGNALS * paddedBytes(<usize>stride * 4);
}

@inline
function paddedBytes(rowBytes: usize): usize {
  return rowBytes + 2 * MARGIN_BYTES;
}

/** The number of rows that are compared, one in `step` from the middle of the first ones on. */
export function comparedRows(height: i32, step: i32): i32 {
  return (height - (step >> 1) + step - 1) / step;
}

/** Computes the mean and the variance around each pixel of the rows of an original that are compared. */
export function describe(plane: usize, mean: usize, variance: usize, height: i32, stride: i32, step: i32, scratch: usize): void {
  const rowBytes = <usize>stride * 4;
  const values = scratch + MARGIN_BYTES;
  const squares = values + paddedBytes(rowBytes);
  memory.fill(scratch, 0, scratchBytes(stride));
  for (let y = step >> 1; y < height; y += step) {
    const row = plane + <usize>y * rowBytes;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      v128.store(values + x, blur(row + x, rowBytes));
      v128.store(squares + x, blurProducts(row + x, row + x, rowBytes));
    }
    for (let x: usize = 0; x < rowBytes; x += 16, mean += 16, variance += 16) {
      const m = blur(values + x, NEXT);
      v128.store(mean, m);
      v128.store(variance, f32x4.sub(blur(squares + x, NEXT), f32x4.mul(m, m)));
    }
  }
}

@inline
function addLanes(sum: usize, lanes: v128): void {
  const pairs = f64x2.add(f64x2.promote_low_f32x4(lanes), f64x2.promote_low_f32x4(v128.shuffle<i64>(lanes, lanes, 1, 0)));
  store<f64>(sum, load<f64>(sum) + f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1));
}

@inline
function fourth(x: v128): v128 {
  const square = f32x4.mul(x, x);
  return f32x4.mul(square, square);
}

/**
 * Sums over the rows of a candidate that are compared its differences from the original in structure, ringing and blur, and then the
 * fourth powers of these. It adds to six doubles at `sums`, which the caller clears.
 */
export function compare(
  original: usize, mean: usize, variance: usize, candidate: usize,
  width: i32, height: i32, stride: i32, step: i32, scratch: usize, sums: usize,
): void {
  const rowBytes = <usize>stride * 4;
  const values = scratch + MARGIN_BYTES;
  const squares = values + paddedBytes(rowBytes);
  const products = squares + paddedBytes(rowBytes);
  const last = lastLanes(width);
  memory.fill(scratch, 0, scratchBytes(stride));
  for (let y = step >> 1; y < height; y += step) {
    const at = <usize>y * rowBytes;
    const a = original + at;
    const b = candidate + at;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      v128.store(values + x, blur(b + x, rowBytes));
      v128.store(squares + x, blurProducts(b + x, b + x, rowBytes));
      v128.store(products + x, blurProducts(a + x, b + x, rowBytes));
    }
    compareRow(a, mean, variance, b, values, squares, products, rowBytes, last, sums);
    mean += rowBytes;
    variance += rowBytes;
  }
}

/**
 * Compares one row, of which the signals are blurred down the columns.
 *
 * @param last - a mask of the lanes within the width, for the last four columns
 */
function compareRow(
  original: usize, mean: usize, variance: usize, candidate: usize,
  values: usize, squares: usize, products: usize, rowBytes: usize, last: v128, sums: usize,
): void {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const c2 = f32x4.splat(STRUCTURE_C2);
  let structure1 = zero;
  let ringing1 = zero;
  let blur1 = zero;
  let structure4 = zero;
  let ringing4 = zero;
  let blur4 = zero;
  for (let x: usize = 0; x < rowBytes; x += 16) {
    const m1 = v128.load(mean + x);
    const m2 = blur(values + x, NEXT);
    const s22 = blur(squares + x, NEXT);
    const s12 = blur(products + x, NEXT);
    const apart = f32x4.sub(m1, m2);
    const covariance = f32x4.sub(s12, f32x4.mul(m1, m2));
    const variances = f32x4.add(v128.load(variance + x), f32x4.sub(s22, f32x4.mul(m2, m2)));
    const likeness = f32x4.mul(
      f32x4.sub(one, f32x4.mul(apart, apart)),
      f32x4.add(f32x4.add(covariance, covariance), c2),
    );
    const unlike = f32x4.sub(one, f32x4.div(likeness, f32x4.add(variances, c2)));
    const edge1 = f32x4.add(one, f32x4.abs(f32x4.sub(v128.load(original + x), m1)));
    const edge2 = f32x4.add(one, f32x4.abs(f32x4.sub(v128.load(candidate + x), m2)));
    const edges = f32x4.sub(f32x4.div(edge2, edge1), one);
    const mask = x + 16 == rowBytes ? last : i32x4.splat(-1);
    const structure = v128.and(mask, f32x4.max(zero, unlike));
    const ringing = v128.and(mask, f32x4.max(zero, edges));
    const blur = v128.and(mask, f32x4.max(zero, f32x4.neg(edges)));
    structure1 = f32x4.add(structure1, structure);
    ringing1 = f32x4.add(ringing1, ringing);
    blur1 = f32x4.add(blur1, blur);
    structure4 = f32x4.add(structure4, fourth(structure));
    ringing4 = f32x4.add(ringing4, fourth(ringing));
    blur4 = f32x4.add(blur4, fourth(blur));
  }
  addLanes(sums, structure1);
  addLanes(sums + 8, ringing1);
  addLanes(sums + 16, blur1);
  addLanes(sums + 24, structure4);
  addLanes(sums + 32, ringing4);
  addLanes(sums + 40, blur4);
}
