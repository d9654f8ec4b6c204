import { counted, formatBytes, formatDuration } from '../command/amounts.ts';
import { showNumber, showUsd } from './figure.ts';
import { workersAtWork } from './load.ts';
import type { Plan } from './plan.ts';
import { describeStackOptions } from './stack-options.ts';

const BYTES_PER_GB = 1e9;

/** What an operator wants to know first. */
export function summarize(plan: Plan): string[] {
  const { given, load, workers, time, cost, views } = plan;
  const show = (figure: { value: number }) => showNumber(figure.value);
  const gb = (figure: { value: number }) => formatBytes(Math.round(figure.value * BYTES_PER_GB));
  const lines = [
    `${counted(workersAtWork(workers).value, 'worker')} at work, ${show(workers.maxConcurrency)} at most; they are there in ${formatDuration(time.pollersReady.value)}`,
    plan.beyondOneStack ?? describeStackOptions(plan.stackOptions),
    ...(given.backlogUnits > 0 ? [describeBacklog(plan)] : []),
    `${showUsd(cost.making.usdPerMillionImages)} to make a million images, ${showUsd(cost.making.value)} an hour; ${showUsd(cost.total.value)} an hour with storage, views and purges`,
    `contractors, who pay for the mobile data of what they look at, load ${gb(views.outGbPerHour)} an hour in place of ${gb(views.originalsGbPerHour)}`,
    describeWanting(plan),
  ];
  return [
    `${counted(given.unitsPerHour, 'unit')} of ${counted(given.imagesPerUnit, 'image')} an hour: ${show(load.imagesPerSecond)} images a second`,
    ...lines.map((line) => `  ${line}`),
  ];
}

function describeBacklog({ given, time }: Plan): string {
  const waiting = counted(given.backlogUnits, 'unit');
  const are = given.backlogUnits === 1 ? 'that waits is' : 'that wait are';
  const drained = time.drain
    ? `in ${formatDuration(time.drain.value)} while as many come`
    : 'never, while as many come';
  return `${waiting} ${are} done in ${formatDuration(time.drainAlone.value)}, or ${drained}`;
}

function describeWanting({ quotas }: Plan): string {
  const wanting = quotas
    .filter(({ isEnough }) => !isEnough)
    .map(({ name, growsByItself }) => `${name}${growsByItself ? ' (grows by itself: begin slowly)' : ''}`);
  if (wanting.length === 0) return 'no quota has to be raised';
  return `beyond what accounts have at first: ${wanting.join('; ')}`;
}
