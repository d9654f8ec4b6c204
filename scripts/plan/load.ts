import { type Figure, figure } from './figure.ts';
import type { Given } from './given.ts';
import { KB_PER_GB, LIMITS, SECONDS_PER_HOUR } from './limits.ts';

/** How much work comes. */
export function planLoad(given: Given) {
  const { widths, tiers, formats } = given.wanted;
  const imagesPerHour = figure('images an hour')`${given.unitsPerHour} units × ${given.imagesPerUnit} images`;
  const imagesPerSecond = figure('images a second')`${imagesPerHour} ÷ ${SECONDS_PER_HOUR} s`;
  return {
    imagesPerHour,
    imagesPerSecond,
    unitsPerSecond: figure('units a second')`${given.unitsPerHour} ÷ ${SECONDS_PER_HOUR} s`,
    variantsPerImage: figure(
      'variants an image',
    )`${widths.length} of PREWARM_WIDTHS × ${tiers.length} of PREWARM_TIERS × ${formats.length} of PREWARM_FORMATS`,
    fetchedGbPerSecond: figure(
      "from clients' servers",
      'GB/s',
    )`${imagesPerSecond} images/s × ${given.sourceKb} KB ÷ ${KB_PER_GB}`,
  };
}

export type Load = ReturnType<typeof planLoad>;

/** A quarter more than the load needs, so that the queue gets shorter again after each peak. */
const HEADROOM = 1.25;

/** How many environments of the worker function that takes. */
export function planWorkers(given: Given, { imagesPerSecond }: Load) {
  const vcpus = figure('vCPUs a worker')`${given.memoryMb} MB ÷ ${LIMITS.mbPerVcpu} MB`;
  const secondsPerImage = figure('CPU an image', 's')`${given.msPerImage} ms ÷ ${1000}`;
  const concurrency = figure(
    'concurrency',
  )`${imagesPerSecond} images/s × ${secondsPerImage} s ÷ ${vcpus} vCPU`;
  const maxConcurrency = maxConcurrencyOf(given, concurrency.value);
  return {
    secondsPerImage,
    vcpus,
    concurrency,
    maxConcurrency,
    executions: figure(
      'executions to be allowed',
    )`${maxConcurrency} workers + ${LIMITS.executionsForOthers} for the image function and all else`,
    capacityPerSecond: figure(
      'images a second, all at work',
    )`${maxConcurrency} workers × ${vcpus} vCPU ÷ ${secondsPerImage} s`,
  };
}

export type Workers = ReturnType<typeof planWorkers>;

/** As many as the load keeps busy; or all there may be, where that is less. */
export function workersAtWork({ concurrency, maxConcurrency }: Workers): Figure {
  return concurrency.value < maxConcurrency.value ? concurrency : maxConcurrency;
}

function maxConcurrencyOf({ maxConcurrency }: Given, needed: number) {
  const label = 'maximum concurrency';
  if (maxConcurrency !== undefined) return figure(label)`${maxConcurrency}, as --concurrency says`;
  // What an event source can have without being paid for is taken before more is.
  const wanted = Math.ceil(needed * HEADROOM);
  const most = LIMITS.eventSourceConcurrency;
  if (needed < most && wanted > most) return figure(label)`${most}, the most without provisioned pollers`;
  if (wanted < 2) return figure(label)`${2}, the least that there can be`;
  return figure(label)`⌈${needed} × ${HEADROOM}⌉`;
}
