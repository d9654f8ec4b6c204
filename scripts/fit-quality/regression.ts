import { median } from '../bench/harness/measurements.ts';

export interface Equation {
  features: readonly number[];
  value: number;
  importance: number;
}

/** Keeps weights small where the data say little, in units of standardised features. */
const RIDGE = 1;
/** Errors above this multiple of the median count linearly, not by their square (Huber): some pictures are unlike all others. */
const OUTLIER = 1.5;
const ROUNDS = 8;

/** Returns the weights of the features, the first of which is constant: a ridge regression that outliers hardly move. */
export function fitWeights(equations: readonly Equation[]): number[] {
  const { standardised, restore } = standardise(equations);
  let importances = equations.map(({ importance }) => importance);
  let weights: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    weights = solveWeighted(standardised, importances);
    const errors = standardised.map(({ features, value }) => Math.abs(value - predicted(weights, features)));
    const limit = OUTLIER * median(errors) + 1e-6;
    importances = equations.map(
      ({ importance }, i) => importance * Math.min(1, limit / Math.max(1e-9, errors[i] as number)),
    );
  }
  return restore(weights);
}

export function predicted(weights: readonly number[], features: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (features[i] as number), 0);
}

/** Gives all features but the first a mean of 0 and a deviation of 1. */
function standardise(equations: readonly Equation[]) {
  const count = equations.length;
  const width = equations[0]?.features.length ?? 0;
  const columns = Array.from({ length: width }, (_, i) =>
    equations.map(({ features }) => features[i] as number),
  );
  const means = columns.map((column, i) => (i === 0 ? 0 : column.reduce((a, b) => a + b, 0) / count));
  const deviations = columns.map((column, i) => {
    const squares = column.reduce((total, one) => total + (one - (means[i] as number)) ** 2, 0);
    return i === 0 ? 1 : Math.sqrt(squares / count) || 1;
  });
  const scale = (one: number, i: number) => (one - (means[i] as number)) / (deviations[i] as number);
  return {
    standardised: equations.map((one) => ({ ...one, features: one.features.map(scale) })),
    restore(weights: readonly number[]): number[] {
      const restored = weights.map((weight, i) => weight / (deviations[i] as number));
      const shift = restored.reduce((sum, weight, i) => sum + weight * (means[i] as number), 0);
      return restored.with(0, (restored[0] as number) - shift);
    },
  };
}

/** Solves the normal equations. */
function solveWeighted(equations: readonly Equation[], importances: readonly number[]): number[] {
  const width = equations[0]?.features.length ?? 0;
  const rows = Array.from({ length: width }, (_, row) => {
    const sums = Array.from({ length: width + 1 }, () => 0);
    if (row > 0) sums[row] = RIDGE;
    for (const [i, { features, value }] of equations.entries()) {
      const weighted = (importances[i] as number) * (features[row] as number);
      for (let column = 0; column < width; column++)
        sums[column] = (sums[column] as number) + weighted * (features[column] as number);
      sums[width] = (sums[width] as number) + weighted * value;
    }
    return sums;
  });
  return eliminate(rows);
}

/** Solves linear equations by Gauss-Jordan elimination. They are positive definite, so that no pivot is zero. */
function eliminate(rows: number[][]): number[] {
  for (const [pivot, row] of rows.entries()) {
    const divisor = row[pivot] as number;
    for (const [i, value] of row.entries()) row[i] = value / divisor;
    for (const other of rows) {
      const factor = other[pivot] as number;
      if (other !== row)
        for (const [i, value] of row.entries()) other[i] = (other[i] as number) - factor * value;
    }
  }
  return rows.map((row) => row.at(-1) as number);
}
