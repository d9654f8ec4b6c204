// A Gaussian blur with σ 1.5 that processes rows from top to bottom. Each blurred signal has a buffer for the current row, padded with four
// floats of zero on both sides, and a ring buffer of the last nine horizontally blurred rows, followed by a row of zeros in place of
// the rows outside the image.

/** The weights of the nine taps, from the middle outwards. The nine add up to 1. */
const K0: f32 = 0.2665599748006027;
const K1: f32 = 0.2134445419434044;
const K2: f32 = 0.10958608179781394;
const K3: f32 = 0.03607496968918391;
const K4: f32 = 0.007614419169296345;
export const TAPS: i32 = 9;
export const RADIUS: i32 = 4;
export const MARGIN_BYTES: usize = 16;

@inline
function weighted(k: f32, one: v128, other: v128): v128 {
  return f32x4.mul(f32x4.splat(k), f32x4.add(one, other));
}

/** Blurs a row horizontally. Four floats of zero must precede and follow the row at `from`. */
@inline
export function alongRow(from: usize, to: usize, rowBytes: usize): void {
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

@inline
export function paddedBytes(rowBytes: usize): usize {
  return rowBytes + 2 * MARGIN_BYTES;
}

@inline
export function ringBytes(rowBytes: usize): usize {
  return rowBytes * (TAPS + 1);
}

/** The offset in a ring of the row at a distance from the middle row. */
@inline
function slot(centre: i32, distance: i32, height: i32, rowBytes: usize): usize {
  const row = centre + distance;
  return rowBytes * <usize>(row < 0 || row >= height ? TAPS : row % TAPS);
}

// The offsets of the nine rows around the middle row. Globals, since they are the same in the ring of every signal.
let up4: usize = 0;
let up3: usize = 0;
let up2: usize = 0;
let up1: usize = 0;
let middle: usize = 0;
let down1: usize = 0;
let down2: usize = 0;
let down3: usize = 0;
let down4: usize = 0;

/** Sets the row around which {@link across} blurs. */
export function aimAt(row: i32, height: i32, rowBytes: usize): void {
  up4 = slot(row, -4, height, rowBytes);
  up3 = slot(row, -3, height, rowBytes);
  up2 = slot(row, -2, height, rowBytes);
  up1 = slot(row, -1, height, rowBytes);
  middle = slot(row, 0, height, rowBytes);
  down1 = slot(row, 1, height, rowBytes);
  down2 = slot(row, 2, height, rowBytes);
  down3 = slot(row, 3, height, rowBytes);
  down4 = slot(row, 4, height, rowBytes);
}

/** Blurs four columns of a ring vertically. `at` is their address in the first row of the ring. */
@inline
export function across(at: usize): v128 {
  let sum = f32x4.mul(f32x4.splat(K0), v128.load(at + middle));
  sum = f32x4.add(sum, weighted(K1, v128.load(at + up1), v128.load(at + down1)));
  sum = f32x4.add(sum, weighted(K2, v128.load(at + up2), v128.load(at + down2)));
  sum = f32x4.add(sum, weighted(K3, v128.load(at + up3), v128.load(at + down3)));
  return f32x4.add(sum, weighted(K4, v128.load(at + up4), v128.load(at + down4)));
}
