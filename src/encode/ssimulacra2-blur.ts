/** As many rows as {@link blurRows} can blur together. */
type Rows = [Float64Array, Float64Array, Float64Array];
type Ring = Float64Array[];

/** Rows of the full width; no plane is ever stored for a blur. */
export interface BlurBuffers {
  /** One row a signal, with a margin of zeros on both sides. */
  padded: Rows;
  /** The last rows of each signal that were blurred along the row. */
  rings: [Ring, Ring, Ring];
  blurred: Rows;
  /** Stands for the rows outside the image. */
  zeros: Float64Array;
}

interface RowHandlers {
  /** Puts row `y` of each signal behind `margin` zeros. */
  load: (y: number, signals: Rows, margin: number) => void;
  /** Gets row `y` of each signal, blurred. It is overwritten afterwards. */
  take: (y: number, blurred: Rows) => void;
}

const SIGMA = 1.5;
const RADIUS = 4;
const TAPS = 2 * RADIUS + 1;
const [K0, K1, K2, K3, K4] = gaussianKernel();

/** @param width - the largest that a blurred image will have, in pixels */
export function createBlurBuffers(width: number): BlurBuffers {
  const row = () => new Float64Array(width);
  const padded = () => new Float64Array(width + 2 * RADIUS);
  const ring = () => Array.from({ length: TAPS }, row);
  return {
    padded: [padded(), padded(), padded()],
    rings: [ring(), ring(), ring()],
    blurred: [row(), row(), row()],
    zeros: row(),
  };
}

/**
 * A Gaussian blur of σ 1.5 over one to three signals of the same size, in one sweep from top to bottom. Outside the
 * image is zero, as SSIMULACRA2 has it.
 */
export function blurRows(
  { padded, rings, blurred, zeros }: BlurBuffers,
  signals: 1 | 2 | 3,
  width: number,
  height: number,
  { load, take }: RowHandlers,
): void {
  // A wider image may have left its pixels where the margin is now.
  for (const row of padded) row.fill(0, RADIUS + width, 2 * RADIUS + width);
  for (let y = 0; y < height + RADIUS; y++) {
    if (y < height) {
      load(y, padded, RADIUS);
      for (let k = 0; k < signals; k++) {
        blurAlong(padded[k] as Float64Array, rings[k]?.[y % TAPS] as Float64Array, width);
      }
    }
    const centre = y - RADIUS;
    if (centre < 0) continue;
    for (let k = 0; k < signals; k++) {
      const ring = rings[k] as Ring;
      const rowAt = (row: number) => (row < 0 || row >= height ? zeros : (ring[row % TAPS] as Float64Array));
      blurAcross(rowAt, centre, blurred[k] as Float64Array, width);
    }
    take(centre, blurred);
  }
}

function gaussianKernel(): [number, number, number, number, number] {
  const at = (distance: number) => Math.exp(-(distance ** 2) / (2 * SIGMA ** 2));
  const total = at(0) + 2 * (at(1) + at(2) + at(3) + at(4));
  return [at(0) / total, at(1) / total, at(2) / total, at(3) / total, at(4) / total];
}

function blurAlong(padded: Float64Array, to: Float64Array, width: number): void {
  for (let x = 0; x < width; x++) {
    to[x] =
      K0 * (padded[x + 4] as number) +
      K1 * ((padded[x + 3] as number) + (padded[x + 5] as number)) +
      K2 * ((padded[x + 2] as number) + (padded[x + 6] as number)) +
      K3 * ((padded[x + 1] as number) + (padded[x + 7] as number)) +
      K4 * ((padded[x] as number) + (padded[x + 8] as number));
  }
}

function blurAcross(
  rowAt: (row: number) => Float64Array,
  centre: number,
  to: Float64Array,
  width: number,
): void {
  const [up4, up3, up2, up1] = [rowAt(centre - 4), rowAt(centre - 3), rowAt(centre - 2), rowAt(centre - 1)];
  const [down1, down2, down3, down4] = [
    rowAt(centre + 1),
    rowAt(centre + 2),
    rowAt(centre + 3),
    rowAt(centre + 4),
  ];
  const middle = rowAt(centre);
  for (let x = 0; x < width; x++) {
    to[x] =
      K0 * (middle[x] as number) +
      K1 * ((up1[x] as number) + (down1[x] as number)) +
      K2 * ((up2[x] as number) + (down2[x] as number)) +
      K3 * ((up3[x] as number) + (down3[x] as number)) +
      K4 * ((up4[x] as number) + (down4[x] as number));
  }
}
