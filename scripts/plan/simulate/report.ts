import { formatDuration, formatTable } from '../../cli/text.ts';
import type { Plan } from '../calculate.ts';
import { formatNumber, formatUsd } from '../figure.ts';
import { type Comparison, compareWithPlan } from './compare.ts';
import type { SimulatedMinute, Simulation } from './simulation.ts';

const MAX_ROWS = 16;
const MINUTE_COLUMNS = [
  ...['minute', 'sent', 'done', 'messages', 'oldest', 'workers', 'images/s'],
  ...['writes/s', 'of a prefix', 'reads/s', 'waiting', 'partitions'],
];

/** The simulation as text: what happened over time, and beside it what the plan's arithmetic says. */
export function formatSimulation(plan: Plan, simulation: Simulation): string {
  const { options, counts, most } = simulation;
  const number = (value: number) => formatNumber(Math.round(value));
  return [
    `Simulated: ${number(options.units)} units of ${number(plan.inputs.imagesPerUnit)} images, seed ${options.seed}`,
    `  all on the queue after ${formatDuration(simulation.enqueuedSeconds)}, all done after ${formatDuration(simulation.doneSeconds)}, ${number(most.workers)} workers at most`,
    `  ${number(counts.broken)} images broken; ${number(counts.purgedUnits)} units purged, ${number(counts.skippedUnits)} of them before their work began; ${number(counts.misses)} views before their image was made`,
    `  the oldest message was ${formatDuration(most.ageSeconds)} old; ${number(most.inFlight)} messages in flight at most`,
    `  S3: ${number(most.writes)} writes a second at most, ${number(most.shardWrites)} of one prefix; what it refused at first waited ${formatDuration(most.storeDelaySeconds)} at most`,
    '',
    ...formatTable(
      [MINUTE_COLUMNS, ...sample(simulation.minutes).map(minuteRow)],
      MINUTE_COLUMNS.map(() => 'number'),
    ),
    '',
    ...formatTable(
      [['', 'simulated', 'calculated', 'ratio'], ...compareWithPlan(plan, simulation).map(comparisonRow)],
      ['text', 'number', 'number', 'number'],
    ),
  ].join('\n');
}

/** The simulation as JSON: `plan --simulate --json` prints it beside the plan. */
export function simulationJson(plan: Plan, simulation: Simulation) {
  return { ...simulation, comparison: compareWithPlan(plan, simulation) };
}

function sample(minutes: readonly SimulatedMinute[]): SimulatedMinute[] {
  const step = Math.max(1, Math.ceil(minutes.length / MAX_ROWS));
  return minutes.filter((_, index) => index % step === 0 || index === minutes.length - 1);
}

function minuteRow(row: SimulatedMinute): string[] {
  const { store } = row;
  const numbers = [row.minute, row.sentUnits, row.doneUnits, row.waitingMessages];
  const rates = [row.workers, row.imagesPerSecond, store.writes, store.busiestShardWrites, store.reads];
  const format = (value: number) => formatNumber(Math.round(value));
  return [
    ...numbers.map(format),
    formatDuration(Math.round(row.oldestSeconds)),
    ...rates.map(format),
    format(store.waiting),
    format(store.partitions),
  ];
}

function comparisonRow({ name, unit, simulated, calculated, ratio }: Comparison): string[] {
  const format = (value: number) => {
    if (unit === '$') return formatUsd(value);
    return unit === 's' ? formatDuration(value) : formatNumber(Math.round(value));
  };
  return [name, format(simulated), format(calculated), ratio.toFixed(3)];
}
