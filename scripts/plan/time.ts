import { figure } from './figure.ts';
import type { Given } from './given.ts';
import { LIMITS } from './limits.ts';
import { type Load, type Workers, workersAtWork } from './load.ts';

/** How long things take. */
export function planTime(given: Given, { imagesPerSecond }: Load, workers: Workers) {
  const { maxConcurrency, capacityPerSecond } = workers;
  const concurrency = workersAtWork(workers);
  const pollersReady = figure(
    'until enough batches are polled',
    's',
  )`${concurrency} ÷ ${LIMITS.eventSourceGrowthPerMinute} a minute × ${60} s`;
  const allReady = figure(
    'until all there may be',
    's',
  )`${maxConcurrency} ÷ ${LIMITS.eventSourceGrowthPerMinute} a minute × ${60} s`;
  const backlogImages = figure(
    'images that wait',
  )`${given.backlogUnits} units × ${given.imagesPerUnit} images`;
  const spare = figure(
    'images a second to spare',
  )`${capacityPerSecond} images/s − ${imagesPerSecond} images/s`;
  // While the workers become more, on average half of them are missing.
  const missed = figure('images not made meanwhile')`${capacityPerSecond} images/s × ${allReady} s ÷ ${2}`;
  return {
    pollersReady,
    environmentsReady: figure(
      'until as many environments run',
      's',
    )`${concurrency} ÷ ${LIMITS.newEnvironments} × ${LIMITS.newEnvironmentsSeconds} s`,
    backlogImages,
    allReady,
    missed,
    drainAlone: figure(
      'done with them, if no more come',
      's',
    )`(${backlogImages} + ${missed}) ÷ ${capacityPerSecond} images/s`,
    spare,
    ...(spare.value > 0 && {
      drain: figure(
        'done with them, under this load',
        's',
      )`(${backlogImages} + ${missed}) ÷ ${spare} images/s`,
    }),
  };
}

export type Time = ReturnType<typeof planTime>;
