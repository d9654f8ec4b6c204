/** @returns how long the work took, in seconds */
export async function timeSeconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** @returns the middle value, or the mean of the two in the middle; NaN of nothing */
export function median(values: readonly number[]): number {
  const rising = values.toSorted((a, b) => a - b);
  const [below = Number.NaN, above = Number.NaN] = [
    rising[(rising.length - 1) >> 1],
    rising[rising.length >> 1],
  ];
  return (below + above) / 2;
}

/** @returns the value that `share` of the values do not exceed (nearest rank); NaN of nothing */
export function percentile(values: readonly number[], share: number): number {
  const rising = values.toSorted((a, b) => a - b);
  return rising[Math.max(0, Math.ceil(share * rising.length) - 1)] ?? Number.NaN;
}

/** @returns the highest score that at least `share` of the images reach: one of the scores, never a value between two */
export function scoreReachedBy(share: number, scores: readonly number[]): number {
  const falling = scores.toSorted((a, b) => b - a);
  return falling[Math.ceil(share * falling.length) - 1] ?? Number.NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function formatMebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** Prints lines to standard output. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
