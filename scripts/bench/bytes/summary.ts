import { LIMITS } from '../../plan/limits.ts';
import { PRICES_REGION, pricesOf } from '../../plan/prices.ts';
import { scoreReachedBy, sum } from '../harness/measurements.ts';
import type { Measurement } from './measure.ts';

/** All images encoded with one method, format and tier. */
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

/** Summarises the measurements by method, format and tier. */
export function summarise(measurements: readonly Measurement[]): Summary[] {
  const groups = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const key = `${one.format} ${one.method} ${one.tier}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map(summariseGroup);
}

function summariseGroup(group: readonly Measurement[]): Summary {
  const { method, format, tier } = group[0] as Measurement;
  const scores = group.map(({ score }) => score);
  return {
    method,
    format,
    ...(tier && { tier }),
    bytes: sum(group.map(({ bytes }) => bytes)),
    p5: scoreReachedBy(0.95, scores),
    p10: scoreReachedBy(0.9, scores),
    median: scoreReachedBy(0.5, scores),
    p95: scoreReachedBy(0.05, scores),
    cpuMs: sum(group.map(({ cpuMs }) => cpuMs)) / group.length,
  };
}

/** A Lambda of one vCPU (1,769 MB) on arm64, in dollars. */
const USD_PER_SECOND = pricesOf(PRICES_REGION).usdPerGbSecond * (LIMITS.mbPerVcpu / 1024);

const HEAD =
  'format tier      method            bytes  of 2017     p5    p10  median    p95   CPU ms  $ a saved MB';

/** A line for each method; the last column is the cost of a megabyte that `best` saves against `fast`, with one view of each image. */
export function formatTable(summaries: readonly Summary[], images: number): string[] {
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
      savedMegabytePrice(one, summaries, images).padStart(13),
    ].join(' ');
  return [HEAD, ...summaries.map(line)];
}

function savedMegabytePrice(one: Summary, all: readonly Summary[], images: number): string {
  const fast = all.find(
    ({ method, format, tier }) => method === 'fast' && format === one.format && tier === one.tier,
  );
  if (one.method !== 'best' || !fast) return '';
  const dollars = ((one.cpuMs - fast.cpuMs) / 1000) * images * USD_PER_SECOND;
  const megabytes = (fast.bytes - one.bytes) / 1e6;
  return megabytes > 0 ? (dollars / megabytes).toFixed(4) : 'none';
}
