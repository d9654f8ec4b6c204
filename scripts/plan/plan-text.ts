import { describeCost, describePrices } from './cost-text.ts';
import { describeEfforts } from './effort-text.ts';
import { type Figure, showNumber } from './figure.ts';
import { describeGiven, type Said } from './given-text.ts';
import { describeMeasurement } from './measure-text.ts';
import type { Plan } from './plan.ts';
import type { Quota } from './quotas.ts';
import { summarize } from './summary-text.ts';
import { layOut, showArithmetic, showValue } from './table.ts';

/**
 * Tells a plan to a person, each figure with its arithmetic.
 *
 * @param warnings - what is told last, where it is seen
 */
export function describePlan(plan: Plan, said: Said, warnings: readonly string[]): string {
  const { load, workers, queue, store, views, purges, time, purgeEverything } = plan;
  const sections = [
    summarize(plan),
    section('Given', describeGiven(plan.given, said)),
    said.measurement ? describeMeasurement(said.measurement) : [],
    section('Load', describeFigures(load)),
    section('Workers', describeFigures(workers), [
      "Waiting for clients' servers is not counted: a worker fetches some originals while it encodes others.",
    ]),
    section('Queue', describeFigures(queue)),
    section('Store', describeFigures(store), [
      'For units that are prewarmed for the first time. Sent again, a head for each variant takes the place of its put.',
      'An original that is in S3 itself is one get more.',
    ]),
    section('CDN and views', describeFigures(views)),
    section('Purges', describeFigures({ ...purges, ...purgeEverything }), [
      'A unit is a tag, in however many invalidations: purge what has to go, not what is merely old.',
    ]),
    section('Quotas to raise', describeQuotas(plan.quotas), [
      'As accounts have them at first, or less: npm run deploy:check says what yours has.',
    ]),
    section('Time', describeFigures(time)),
    describeCost(plan),
    describeEfforts(plan),
    describePrices(),
    warnings.length > 0
      ? section(
          'Mind',
          warnings.map((warning) => `  - ${warning}`),
        )
      : [],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function section(title: string, lines: readonly string[], notes: readonly string[] = []): string[] {
  return [title, ...lines, ...notes.map((note) => `  ${note}`)];
}

function describeFigures(figures: Readonly<Record<string, Figure>>): string[] {
  const rows = Object.values(figures).map((one) => [one.label, showValue(one), showArithmetic(one)]);
  return layOut(rows, ['text', 'number', 'text']);
}

function describeQuotas(quotas: readonly Quota[]): string[] {
  const rows = quotas.map(({ name, needed, limit, isEnough, cachedFailure }) => [
    name,
    showNumber(needed.value),
    `of ${showNumber(limit)}`,
    isEnough ? cachedFailure : `NOT ENOUGH: ${cachedFailure}`,
    showArithmetic(needed),
  ]);
  return layOut(rows, ['text', 'number', 'text', 'text']);
}
