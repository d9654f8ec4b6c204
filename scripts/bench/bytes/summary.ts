import type { Measurement } from './measure.ts';

/** All images in one way of encoding. */
export interface Summary {
  method: string;
  format: string;
  tier?: string;
  bytes: number;
  /** The scores that 95%, 90% and half of the images reach, and 5%. */
  p5: number;
  p10: number;
  median: number;
  p95: number;
  cpuMs: number;
}

export function summariseAll(measurements: readonly Measurement[]): Summary[] {
  const groups = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const key = `${one.format} ${one.method} ${one.tier}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map(summarise);
}

function summarise(group: readonly Measurement[]): Summary {
  const { method, format, tier } = group[0] as Measurement;
  const scores = group.map(({ score }) => score);
  return {
    method,
    format,
    ...(tier && { tier }),
    bytes: sum(group.map(({ bytes }) => bytes)),
    p5: reachedBy(0.95, scores),
    p10: reachedBy(0.9, scores),
    median: reachedBy(0.5, scores),
    p95: reachedBy(0.05, scores),
    cpuMs: sum(group.map(({ cpuMs }) => cpuMs)) / group.length,
  };
}

/** @returns the highest score that at least `share` of the images reach: one of the scores, never a value between two */
function reachedBy(share: number, scores: readonly number[]): number {
  const falling = scores.toSorted((a, b) => b - a);
  return falling[Math.ceil(share * falling.length) - 1] ?? Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A Lambda of one vCPU on arm64: dollars a second. */
const DOLLARS_A_SECOND = 0.0000133334 * (1769 / 1024);

const HEAD =
  'format tier      method            bytes  of 2017     p5    p10  median    p95   CPU ms  $ a saved MB';

/** A line a way of encoding; a saved megabyte is what `best` spends and saves beside `fast`, for one view of each image. */
export function tableOf(summaries: readonly Summary[], images: number): string[] {
  const baseline = summaries.find(({ method }) => method === '2017 service')?.bytes;
  const line = (one: Summary) =>
    [
      one.format.padEnd(6),
      (one.tier ?? '').padEnd(9),
      one.method.padEnd(13),
      String(one.bytes).padStart(9),
      (baseline ? (one.bytes / baseline).toFixed(3) : '').padStart(8),
      ...[one.p5, one.p10].map((score) => score.toFixed(1).padStart(6)),
      one.median.toFixed(1).padStart(7),
      one.p95.toFixed(1).padStart(6),
      one.cpuMs.toFixed(0).padStart(8),
      priceOf(one, summaries, images).padStart(13),
    ].join(' ');
  return [HEAD, ...summaries.map(line)];
}

function priceOf(one: Summary, all: readonly Summary[], images: number): string {
  const fast = all.find(
    ({ method, format, tier }) => method === 'fast' && format === one.format && tier === one.tier,
  );
  if (one.method !== 'best' || !fast) return '';
  const dollars = ((one.cpuMs - fast.cpuMs) / 1000) * images * DOLLARS_A_SECOND;
  const megabytes = (fast.bytes - one.bytes) / 1e6;
  return megabytes > 0 ? (dollars / megabytes).toFixed(4) : 'none';
}
