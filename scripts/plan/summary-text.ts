import { counted, formatBytes, formatDuration } from '../command/amounts.ts';
import { showNumber, showUsd } from './figure.ts';
import { workersAtWork } from './load.ts';
import type { Plan } from './plan.ts';

const BYTES_PER_GB = 1e9;

/** What an operator wants to know first. */
export function summarize({ given, load, workers, time, cost, views, quotas }: Plan): string[] {
  const show = (figure: { value: number }) => showNumber(figure.value);
  const wanting = quotas.filter(({ isEnough }) => !isEnough);
  const drained = time.drain
    ? `in ${formatDuration(time.drain.value)} while as many come`
    : 'never, while as many come';
  const gb = (figure: { value: number }) => formatBytes(Math.round(figure.value * BYTES_PER_GB));
  return [
    `${counted(given.unitsPerHour, 'unit')} of ${counted(given.imagesPerUnit, 'image')} an hour: ${show(load.imagesPerSecond)} images a second`,
    `  ${counted(Math.ceil(workersAtWork(workers).value), 'worker')} at work, ${show(workers.maxConcurrency)} at most; they are there in ${formatDuration(time.pollersReady.value)}`,
    `  ${counted(given.backlogUnits, 'unit')} that wait are done in ${formatDuration(time.drainAlone.value)}, or ${drained}`,
    `  ${showUsd(cost.making.usdPerMillionImages)} to make a million images, ${showUsd(cost.making.value)} an hour; ${showUsd(cost.total.value)} an hour with storage, views and purges`,
    `  contractors load ${gb(views.outGbPerHour)} an hour in place of ${gb(views.originalsGbPerHour)}`,
    `  ${wanting.length === 0 ? 'no quota has to be raised' : `beyond what accounts have at first: ${wanting.map(({ name }) => name).join('; ')}`}`,
  ];
}
