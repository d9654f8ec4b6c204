// A Gaussian blur with σ 1.5, of nine taps in each direction: first down the columns, for the rows that are compared, then along these rows.

/** The weights of the nine taps, from the middle outwards. The nine add up to 1. */
const K0: f32 = 0.2665599748006027;
const K1: f32 = 0.2134445419434044;
const K2: f32 = 0.10958608179781394;
const K3: f32 = 0.03607496968918391;
const K4: f32 = 0.007614419169296345;
/** Zeros that precede and follow a plane whose columns are blurred, in rows, and a row that is blurred, in bytes. */
export const MARGIN_ROWS: i32 = 4;
export const MARGIN_BYTES: usize = 16;

@inline
function weighted(k: f32, one: v128, other: v128): v128 {
  return f32x4.mul(f32x4.splat(k), f32x4.add(one, other));
}

@inline
function product(one: usize, other: usize): v128 {
  return f32x4.mul(v128.load(one), v128.load(other));
}

/** Blurs along the distance of `step` bytes from one tap to the next: four columns down, or four pixels along a row. */
@inline
export function blur(at: usize, step: usize): v128 {
  let sum = f32x4.mul(f32x4.splat(K0), v128.load(at));
  sum = f32x4.add(sum, weighted(K1, v128.load(at - step), v128.load(at + step)));
  sum = f32x4.add(sum, weighted(K2, v128.load(at - 2 * step), v128.load(at + 2 * step)));
  sum = f32x4.add(sum, weighted(K3, v128.load(at - 3 * step), v128.load(at + 3 * step)));
  return f32x4.add(sum, weighted(K4, v128.load(at - 4 * step), v128.load(at + 4 * step)));
}

/** Blurs the products of two planes. */
@inline
export function blurProducts(one: usize, other: usize, step: usize): v128 {
  let sum = f32x4.mul(f32x4.splat(K0), product(one, other));
  sum = f32x4.add(sum, weighted(K1, product(one - step, other - step), product(one + step, other + step)));
  sum = f32x4.add(sum, weighted(K2, product(one - 2 * step, other - 2 * step), product(one + 2 * step, other + 2 * step)));
  sum = f32x4.add(sum, weighted(K3, product(one - 3 * step, other - 3 * step), product(one + 3 * step, other + 3 * step)));
  return f32x4.add(sum, weighted(K4, product(one - 4 * step, other - 4 * step), product(one + 4 * step, other + 4 * step)));
}
