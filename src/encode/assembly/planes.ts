// Converts an image to the planes that are compared, row by row. A row has `stride` 32-bit floats, a multiple of 4; the floats from `width` on
// are zero, as everything outside the image is. Pointers are aligned to 16 bytes.

const OPSIN_BIAS: f32 = 0.0037930732552754493;
const OPSIN_BIAS_CBRT: f32 = 0.15595420054924863;

/** Converts a row of 8-bit sRGB to linear light, by a table of 256 floats. `rgb` is interleaved, without padding. */
export function toLinear(rgb: usize, table: usize, red: usize, green: usize, blue: usize, width: i32, stride: i32): void {
  const end = <usize>width * 4;
  let at: usize = 0;
  for (; at < end; at += 4, rgb += 3) {
    store<f32>(red + at, load<f32>(table + (<usize>load<u8>(rgb) << 2)));
    store<f32>(green + at, load<f32>(table + (<usize>load<u8>(rgb, 1) << 2)));
    store<f32>(blue + at, load<f32>(table + (<usize>load<u8>(rgb, 2) << 2)));
  }
  for (; at < <usize>stride * 4; at += 4) {
    store<f32>(red + at, 0);
    store<f32>(green + at, 0);
    store<f32>(blue + at, 0);
  }
}

/** Halves two rows to one: each pixel becomes the mean of 2×2. A last column without a neighbour counts twice. `to` may be `upper`. */
export function halve(upper: usize, lower: usize, to: usize, width: i32, halfStride: i32): void {
  const halfWidth = (width + 1) >> 1;
  const pairs = width >> 1;
  let x = 0;
  for (; x + 4 <= pairs; x += 4) {
    const from = <usize>(x * 8);
    const left = f32x4.add(v128.load(upper + from), v128.load(lower + from));
    const right = f32x4.add(v128.load(upper + from, 16), v128.load(lower + from, 16));
    const even = v128.shuffle<f32>(left, right, 0, 2, 4, 6);
    const odd = v128.shuffle<f32>(left, right, 1, 3, 5, 7);
    v128.store(to + <usize>(x * 4), f32x4.mul(f32x4.add(even, odd), f32x4.splat(0.25)));
  }
  for (; x < halfWidth; x++) {
    const from = <usize>(x * 8);
    const next = 2 * x + 1 < width ? from + 4 : from;
    const sum = load<f32>(upper + from) + load<f32>(lower + from) + (load<f32>(upper + next) + load<f32>(lower + next));
    store<f32>(to + <usize>(x * 4), sum * 0.25);
  }
  for (; x < halfStride; x++) store<f32>(to + <usize>(x * 4), 0);
}

/**
 * Four cube roots: a guess from the exponent, then one step of Halley's method, which triples the correct digits to four. What is left is the
 * same in both images, and changes no score by 0.01.
 */
@inline
function cbrt(x: v128): v128 {
  const third = f32x4.mul(f32x4.convert_i32x4_s(x), f32x4.splat(1.0 / 3.0));
  const r = i32x4.add(i32x4.trunc_sat_f32x4_s(third), i32x4.splat(709921077));
  const cube = f32x4.mul(f32x4.mul(r, r), r);
  const above = f32x4.add(cube, f32x4.add(x, x));
  const below = f32x4.add(f32x4.add(cube, cube), x);
  return f32x4.mul(r, f32x4.div(above, below));
}

@inline
function opsin(r: v128, g: v128, b: v128, kr: f32, kg: f32, kb: f32): v128 {
  const light = f32x4.add(
    f32x4.add(f32x4.mul(r, f32x4.splat(kr)), f32x4.mul(g, f32x4.splat(kg))),
    f32x4.add(f32x4.mul(b, f32x4.splat(kb)), f32x4.splat(OPSIN_BIAS)),
  );
  return f32x4.sub(cbrt(light), f32x4.splat(OPSIN_BIAS_CBRT));
}

/** A mask of the lanes within the width, for the last four columns of a row. */
@inline
export function lastLanes(width: i32): v128 {
  return i32x4.gt_s(i32x4.splat(((width + 3) & 3) + 1), i32x4(0, 1, 2, 3));
}

/** Converts a row of linear light to XYB, shifted to be positive. Where `xs` or `bs` is 0, X or B is left out. */
export function toXyb(red: usize, green: usize, blue: usize, xs: usize, ys: usize, bs: usize, width: i32, stride: i32): void {
  const last = lastLanes(width);
  for (let x = 0; x < stride; x += 4) {
    const at = <usize>(x * 4);
    const mask = x + 4 >= width ? last : i32x4.splat(-1);
    const r = v128.load(red + at);
    const g = v128.load(green + at);
    const b = v128.load(blue + at);
    const l = opsin(r, g, b, 0.3, 0.622, 0.078);
    const m = opsin(r, g, b, 0.23, 0.692, 0.078);
    const luma = f32x4.mul(f32x4.add(l, m), f32x4.splat(0.5));
    v128.store(ys + at, v128.and(mask, f32x4.add(luma, f32x4.splat(0.01))));
    if (xs != 0) {
      const x14 = f32x4.mul(f32x4.sub(l, m), f32x4.splat(7));
      v128.store(xs + at, v128.and(mask, f32x4.add(x14, f32x4.splat(0.42))));
    }
    if (bs != 0) {
      const s = opsin(r, g, b, 0.24342268924547819, 0.20476744424496821, 0.5518098666509536);
      v128.store(bs + at, v128.and(mask, f32x4.add(f32x4.sub(s, luma), f32x4.splat(0.55))));
    }
  }
}
