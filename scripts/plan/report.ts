import { counted, formatBytes, formatDuration, formatTable } from '../cli/text.ts';
import type { Plan } from './calculate.ts';
import { type Figure, formatFigures, formatFormula, formatNumber, formatUsd, formatValue } from './figure.ts';
import { measuredMsPerImage, type PlanInputs } from './inputs.ts';
import { busyWorkers, formatStackOptions } from './load.ts';
import type { Measurement } from './measure.ts';
import { PRICES_DATE } from './prices.ts';
import { newBucketSeconds } from './queue.ts';
import type { Quota } from './quotas.ts';
import { costLines, effortLines, flatRateLines, priceLines, shieldLines } from './report-costs.ts';
import { inputLines } from './report-inputs.ts';

export interface ReportOptions {
  /** Names of the options that the user gave, such as `unitsPerHour`; all others are measured or assumed. */
  givenOptions: ReadonlySet<string>;
  measurement: Measurement | undefined;
  /** Printed last, where they are seen. */
  warnings: readonly string[];
}

/** More photographs than this are not listed one by one. */
const MAX_LISTED_PHOTOGRAPHS = 12;

/** The plan as one JSON object. @param parts - what is added to it */
export function formatPlanJson(
  { inputs, ...plan }: Plan,
  { measurement, warnings }: ReportOptions,
  parts: Readonly<Record<string, unknown>> = {},
): string {
  const { prices, ...given } = inputs;
  const all = { given, ...plan, measurement, warnings, prices: { date: PRICES_DATE, ...prices }, ...parts };
  return JSON.stringify(all, undefined, 2);
}

/** The plan as text: a summary, then sections of figures with their formulas. */
export function formatPlan(plan: Plan, options: ReportOptions): string {
  const { load, workers, queue, store, views, purges, time, purgeEverything } = plan;
  const { measurement, warnings } = options;
  // Without a load, it is what the workers make, and nothing to speak of is spare.
  const { spare: _spare, drain: _drain, ...timeOfFullLoad } = time;
  const sections = [
    summaryLines(plan),
    section('Given', inputLines(plan.inputs, options)),
    measurement ? measurementLines(measurement) : [],
    section('Load', formatFigures(load)),
    section('Workers', formatFigures({ ...workers }), [
      "CPU an image is that of the stack's effort and variants. A worker fetches some originals while it encodes others.",
    ]),
    section('Queue', formatFigures(queue)),
    section('Store', formatFigures(store), [
      'For units that are prewarmed for the first time. When a unit is submitted again, each put of a variant becomes a head.',
      'An original in S3 takes one more get.',
    ]),
    section('CDN and views', formatFigures(views)),
    section('Purges', formatFigures({ ...purges, ...purgeEverything }), [
      'Each unit is one tag, however many invalidations there are: purge what must be deleted, not what is merely old.',
    ]),
    section('Quotas to raise', quotaLines(plan.quotas), [
      'These are the quotas that AWS documents. A new account may have less: npx edgepress deploy:check shows yours.',
    ]),
    section('Time', formatFigures(options.givenOptions.has('unitsPerHour') ? time : timeOfFullLoad)),
    costLines(plan),
    section(
      'A million images, by where workers run ("fargateMaxTasks" of the stack)',
      formatFigures(plan.places),
      [
        'Of containers not counted: the minutes in which they start and wait, and the work of the two functions beside them.',
      ],
    ),
    flatRateLines(plan),
    shieldLines(plan),
    effortLines(plan),
    priceLines(plan),
    warnings.length > 0 ? section('Warnings', bulletPoints(warnings)) : [],
  ];
  const shown = sections.filter((lines) => lines.length > 0);
  return shown.map((lines) => lines.join('\n')).join('\n\n');
}

function section(title: string, lines: readonly string[], notes: readonly string[] = []): string[] {
  return [title, ...lines, ...notes.map((note) => `  ${note}`)];
}

function bulletPoints(items: readonly string[]): string[] {
  return items.map((item) => `  - ${item}`);
}

/** What an operator wants to know first. */
function summaryLines(plan: Plan): string[] {
  const { inputs, load, cost, views } = plan;
  const number = (figure: Figure) => formatNumber(figure.value);
  const bytes = ({ value: gb }: Figure) => formatBytes(Math.round(gb * 1e9));
  const lines = [
    workersLine(plan),
    plan.beyondOneStack ?? formatStackOptions(plan.stackOptions),
    ...(inputs.backlogUnits > 0 ? [backlogLine(plan)] : []),
    `${formatUsd(cost.making.usdPerMillionImages)} to make a million images ${placeOf(inputs)}, ${formatUsd(cost.making.value)} an hour; ${formatUsd(cost.total.value)} an hour with storage, views and purges`,
    `contractors, who pay for their mobile data, download ${bytes(views.outGbPerHour)} an hour instead of ${bytes(views.originalsGbPerHour)}`,
    insufficientQuotasLine(plan.quotas),
  ];
  return [
    `${counted(inputs.unitsPerHour, 'unit')} of ${counted(inputs.imagesPerUnit, 'image')} an hour: ${number(load.imagesPerSecond)} images a second`,
    ...lines.map((line) => `  ${line}`),
  ];
}

/** Where workers run. */
function placeOf({ containers }: PlanInputs): string {
  if (!containers) return 'on Lambda';
  return containers.isSpot ? 'on Fargate Spot' : 'on Fargate';
}

function workersLine({ workers, time }: Plan): string {
  const { containers, maxContainers, maxConcurrency } = workers;
  const ready = `ready after ${formatDuration(time.pollersReady.value)}`;
  if (!containers || !maxContainers)
    return `${counted(busyWorkers(workers).value, 'worker')} at work, ${formatNumber(maxConcurrency.value)} at most; ${ready}`;
  const atWork = Math.min(containers.value, maxContainers.value);
  return `${counted(atWork, 'container')} at work, ${formatNumber(maxContainers.value)} at most, beside ${counted(maxConcurrency.value, 'worker function')}; ${ready}`;
}

function backlogLine({ inputs, time, workers }: Plan): string {
  const waiting = counted(inputs.backlogUnits, 'unit');
  const are = inputs.backlogUnits === 1 ? 'in the backlog is' : 'in the backlog are';
  const drained = time.drain
    ? `in ${formatDuration(time.drain.value)} while as many arrive`
    : 'never, while as many arrive';
  const inNewBucket = newBucketSeconds(time.backlogImages.value, time, workers);
  const newBucket =
    inNewBucket > time.drainAlone.value * 1.01
      ? `; in a new bucket, until S3 has split it, in ${formatDuration(inNewBucket)}`
      : '';
  return `${waiting} ${are} done in ${formatDuration(time.drainAlone.value)}, or ${drained}${newBucket}`;
}

function insufficientQuotasLine(quotas: readonly Quota[]): string {
  const insufficient = quotas
    .filter(({ isEnough }) => !isEnough)
    .map(({ name, growsByItself }) => `${name}${growsByItself ? ' (grows by itself: start slowly)' : ''}`);
  if (insufficient.length === 0) return 'no quota has to be raised';
  return `beyond the quotas that AWS documents: ${insufficient.join('; ')}`;
}

function measurementLines(measurement: Measurement): string[] {
  const { photographs, failed, rounds, core, meanCpuMs } = measurement;
  const rows = photographs
    .slice(0, MAX_LISTED_PHOTOGRAPHS)
    .map(({ name, width, height, bytes, variantBytes, cpuMs }) => [
      name,
      `${width} × ${height}`,
      formatBytes(bytes),
      variantBytes.map(formatBytes).join(', '),
      `${formatNumber(cpuMs)} ms`,
    ]);
  const more = photographs.length - MAX_LISTED_PHOTOGRAPHS;
  const ms = measuredMsPerImage(measurement);
  return [
    `Measured on one core of this machine (${core})`,
    ...formatTable(
      [['photograph', 'pixels', 'original', 'variants', 'CPU'], ...rows],
      ['text', 'number', 'number', 'number', 'number'],
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(failed > 0 ? [`  ${failed} could not be encoded`] : []),
    `  ${formatNumber(meanCpuMs)} ms of encoding an image: the median of ${rounds} rounds, one photograph at a time, then their mean`,
    `  ${formatValue(ms)} an image ${formatFormula(ms)}`,
    '  This assumes that a vCPU of Lambda is as fast as this core: measure on the function itself to be sure, and give --ms.',
  ];
}

function quotaLines(quotas: readonly Quota[]): string[] {
  const rows = quotas.map(({ name, needed, limit, isEnough, verdict }) => [
    name,
    formatNumber(needed.value),
    `of ${formatNumber(limit)}`,
    isEnough ? verdict : `NOT ENOUGH: ${verdict}`,
    formatFormula(needed),
  ]);
  return formatTable(rows, ['text', 'number', 'text', 'text']);
}
