// How two planes are compared: by their means, variances and covariance around each pixel, under a Gaussian of σ 1.5.

import { lastLanes } from './planes.ts';

/** The Gaussian's nine taps, from the middle outwards. Their sum is 1. */
const K0: f32 = 0.2665599748006027;
const K1: f32 = 0.2134445419434044;
const K2: f32 = 0.10958608179781394;
const K3: f32 = 0.03607496968918391;
const K4: f32 = 0.007614419169296345;
const TAPS: i32 = 9;
const RADIUS: i32 = 4;
const MARGIN_BYTES: usize = 16;
/** The values, their squares, and their products with the original's. */
const SIGNALS: usize = 3;

const STRUCTURE_C2: f32 = 0.0009;

@inline
function weighted(k: f32, one: v128, other: v128): v128 {
  return f32x4.mul(f32x4.splat(k), f32x4.add(one, other));
}

/** Blurs a row along itself. Four floats of zero precede and follow what `from` points at. */
@inline
function alongRow(from: usize, to: usize, rowBytes: usize): void {
  for (let x: usize = 0; x < rowBytes; x += 16) {
    const at = from + x;
    let sum = f32x4.mul(f32x4.splat(K0), v128.load(at));
    sum = f32x4.add(sum, weighted(K1, v128.load(at - 4), v128.load(at, 4)));
    sum = f32x4.add(sum, weighted(K2, v128.load(at - 8), v128.load(at, 8)));
    sum = f32x4.add(sum, weighted(K3, v128.load(at - 12), v128.load(at, 12)));
    sum = f32x4.add(sum, weighted(K4, v128.load(at - 16), v128.load(at, 16)));
    v128.store(to + x, sum);
  }
}

// A sweep from top to bottom keeps, of each of its signals, the row that is being blurred along itself, with four floats of zero
// on both sides, and a ring of the last nine that were, followed by a row of zeros that stands for all outside the picture.

@inline
function paddedBytes(rowBytes: usize): usize {
  return rowBytes + 2 * MARGIN_BYTES;
}

@inline
function ringBytes(rowBytes: usize): usize {
  return rowBytes * (TAPS + 1);
}

/** How much {@link describe} and {@link compare} work in. */
export function scratchBytes(stride: i32): usize {
  const rowBytes = <usize>(stride * 4);
  return SIGNALS * (paddedBytes(rowBytes) + ringBytes(rowBytes));
}

/** Where in a ring the row is that lies so far from the middle one. */
@inline
function slot(centre: i32, distance: i32, height: i32, rowBytes: usize): usize {
  const row = centre + distance;
  return rowBytes * <usize>(row < 0 || row >= height ? TAPS : row % TAPS);
}

/** Blurs four columns across the nine rows of a ring. */
@inline
function across(
  at: usize,
  up4: usize, up3: usize, up2: usize, up1: usize, middle: usize, down1: usize, down2: usize, down3: usize, down4: usize,
): v128 {
  let sum = f32x4.mul(f32x4.splat(K0), v128.load(at + middle));
  sum = f32x4.add(sum, weighted(K1, v128.load(at + up1), v128.load(at + down1)));
  sum = f32x4.add(sum, weighted(K2, v128.load(at + up2), v128.load(at + down2)));
  sum = f32x4.add(sum, weighted(K3, v128.load(at + up3), v128.load(at + down3)));
  return f32x4.add(sum, weighted(K4, v128.load(at + up4), v128.load(at + down4)));
}

/** The mean and the variance around each pixel of an original. */
export function describe(plane: usize, mean: usize, variance: usize, height: i32, stride: i32, scratch: usize): void {
  const rowBytes = <usize>(stride * 4);
  const values = scratch + MARGIN_BYTES;
  const squares = values + paddedBytes(rowBytes);
  const valueRing = scratch + SIGNALS * paddedBytes(rowBytes);
  const squareRing = valueRing + ringBytes(rowBytes);
  memory.fill(scratch, 0, scratchBytes(stride));
  for (let y = 0; y < height + RADIUS; y++) {
    if (y < height) {
      const row = plane + <usize>y * rowBytes;
      for (let x: usize = 0; x < rowBytes; x += 16) {
        const a = v128.load(row + x);
        v128.store(values + x, a);
        v128.store(squares + x, f32x4.mul(a, a));
      }
      const to = <usize>(y % TAPS) * rowBytes;
      alongRow(values, valueRing + to, rowBytes);
      alongRow(squares, squareRing + to, rowBytes);
    }
    const centre = y - RADIUS;
    if (centre < 0) continue;
    const up4 = slot(centre, -4, height, rowBytes);
    const up3 = slot(centre, -3, height, rowBytes);
    const up2 = slot(centre, -2, height, rowBytes);
    const up1 = slot(centre, -1, height, rowBytes);
    const middle = slot(centre, 0, height, rowBytes);
    const down1 = slot(centre, 1, height, rowBytes);
    const down2 = slot(centre, 2, height, rowBytes);
    const down3 = slot(centre, 3, height, rowBytes);
    const down4 = slot(centre, 4, height, rowBytes);
    const out = <usize>centre * rowBytes;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      const m = across(valueRing + x, up4, up3, up2, up1, middle, down1, down2, down3, down4);
      const s = across(squareRing + x, up4, up3, up2, up1, middle, down1, down2, down3, down4);
      v128.store(mean + out + x, m);
      v128.store(variance + out + x, f32x4.sub(s, f32x4.mul(m, m)));
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
 * Adds up over a candidate's pixels how far it is from its original in structure, ringing and blur, then their fourth powers:
 * six doubles at `sums`, which is not cleared before.
 */
export function compare(
  original: usize, mean: usize, variance: usize, candidate: usize, width: i32, height: i32, stride: i32, scratch: usize, sums: usize,
): void {
  const rowBytes = <usize>(stride * 4);
  const values = scratch + MARGIN_BYTES;
  const squares = values + paddedBytes(rowBytes);
  const products = squares + paddedBytes(rowBytes);
  const valueRing = scratch + SIGNALS * paddedBytes(rowBytes);
  const squareRing = valueRing + ringBytes(rowBytes);
  const productRing = squareRing + ringBytes(rowBytes);
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const c2 = f32x4.splat(STRUCTURE_C2);
  const last = lastLanes(width);
  memory.fill(scratch, 0, scratchBytes(stride));
  for (let y = 0; y < height + RADIUS; y++) {
    if (y < height) {
      const row = <usize>y * rowBytes;
      for (let x: usize = 0; x < rowBytes; x += 16) {
        const b = v128.load(candidate + row + x);
        v128.store(values + x, b);
        v128.store(squares + x, f32x4.mul(b, b));
        v128.store(products + x, f32x4.mul(b, v128.load(original + row + x)));
      }
      const to = <usize>(y % TAPS) * rowBytes;
      alongRow(values, valueRing + to, rowBytes);
      alongRow(squares, squareRing + to, rowBytes);
      alongRow(products, productRing + to, rowBytes);
    }
    const centre = y - RADIUS;
    if (centre < 0) continue;
    const up4 = slot(centre, -4, height, rowBytes);
    const up3 = slot(centre, -3, height, rowBytes);
    const up2 = slot(centre, -2, height, rowBytes);
    const up1 = slot(centre, -1, height, rowBytes);
    const middle = slot(centre, 0, height, rowBytes);
    const down1 = slot(centre, 1, height, rowBytes);
    const down2 = slot(centre, 2, height, rowBytes);
    const down3 = slot(centre, 3, height, rowBytes);
    const down4 = slot(centre, 4, height, rowBytes);
    const at = <usize>centre * rowBytes;
    let structure1 = zero;
    let ringing1 = zero;
    let blur1 = zero;
    let structure4 = zero;
    let ringing4 = zero;
    let blur4 = zero;
    for (let x: usize = 0; x < rowBytes; x += 16) {
      const m1 = v128.load(mean + at + x);
      const m2 = across(valueRing + x, up4, up3, up2, up1, middle, down1, down2, down3, down4);
      const s22 = across(squareRing + x, up4, up3, up2, up1, middle, down1, down2, down3, down4);
      const s12 = across(productRing + x, up4, up3, up2, up1, middle, down1, down2, down3, down4);
      const apart = f32x4.sub(m1, m2);
      const covariance = f32x4.sub(s12, f32x4.mul(m1, m2));
      const variances = f32x4.add(v128.load(variance + at + x), f32x4.sub(s22, f32x4.mul(m2, m2)));
      const likeness = f32x4.mul(
        f32x4.sub(one, f32x4.mul(apart, apart)),
        f32x4.add(f32x4.add(covariance, covariance), c2),
      );
      const unlike = f32x4.sub(one, f32x4.div(likeness, f32x4.add(variances, c2)));
      const edge1 = f32x4.add(one, f32x4.abs(f32x4.sub(v128.load(original + at + x), m1)));
      const edge2 = f32x4.add(one, f32x4.abs(f32x4.sub(v128.load(candidate + at + x), m2)));
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
}
