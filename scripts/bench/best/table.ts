import { TIER_QUALITY } from '../../../src/encode/tier-quality.ts';
import { scoreReachedBy, sum } from '../harness/measurements.ts';
import type { Answer, BestMeasurement } from './measure.ts';

const COLUMNS = [
  'variants',
  'each',
  'CPU of one final encode',
  'at most',
  'drafts',
  'final encodes',
  'bytes of exhaustive',
  'score of exhaustive',
  'score − target',
  'nine in ten',
  'below −2',
];

/** Returns the head of the table of {@link bestRow}. */
export function bestHead(): string[] {
  return [line(COLUMNS), line(COLUMNS.map(() => '---'))];
}

/**
 * Returns a line of the table. CPU is a ratio of sums, next to the largest one of all measurements; drafts and final encodes are for an
 * answer; bytes are the geometric mean of ratios, and scores mean differences.
 */
export function bestRow(name: string, measurements: readonly BestMeasurement[]): string {
  const answers = measurements.flatMap((one) => one.answers);
  const total = (value: (one: BestMeasurement) => number) => sum(measurements.map(value));
  const perAnswer = (value: (one: BestMeasurement) => number) => (total(value) / answers.length).toFixed(2);
  const compared = answers.filter(({ optimum }) => optimum);
  const ratio = (one: Answer) => Math.log(one.bytes / (one.optimum?.bytes ?? Number.NaN));
  const surpluses = answers.map(({ score, tier }) => score - TIER_QUALITY[tier].targetScore);
  return line([
    name,
    String(answers.length),
    (total(({ cpuMs }) => cpuMs) / total(({ finalMs }) => finalMs)).toFixed(2),
    Math.max(...measurements.map(({ cpuMs, finalMs }) => cpuMs / finalMs)).toFixed(1),
    perAnswer(({ drafts }) => drafts),
    perAnswer(({ finals }) => finals),
    compared.length === 0 ? '' : Math.exp(mean(compared.map(ratio))).toFixed(3),
    compared.length === 0
      ? ''
      : mean(compared.map(({ score, optimum }) => score - (optimum?.score ?? Number.NaN))).toFixed(2),
    mean(surpluses).toFixed(2),
    scoreReachedBy(0.9, surpluses).toFixed(2),
    `${Math.round((100 * surpluses.filter((surplus) => surplus < -2).length) / answers.length)}%`,
  ]);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
