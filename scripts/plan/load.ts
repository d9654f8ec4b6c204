import { type Figure, figure } from './figure.ts';
import type { Given } from './given.ts';
import { KB_PER_GB, LIMITS, SECONDS_PER_HOUR } from './limits.ts';

/** What the number of workers follows from. */
export type Demand = Pick<
  Given,
  'unitsPerHour' | 'imagesPerUnit' | 'msPerImage' | 'memoryMb' | 'maxConcurrency'
>;

/** How many images come. */
export function planRate({ unitsPerHour, imagesPerUnit }: Pick<Demand, 'unitsPerHour' | 'imagesPerUnit'>) {
  const imagesPerHour = figure('images an hour')`${unitsPerHour} units × ${imagesPerUnit} images`;
  return {
    imagesPerHour,
    imagesPerSecond: figure('images a second')`${imagesPerHour} ÷ ${SECONDS_PER_HOUR} s`,
  };
}

/** How much work comes. */
export function planLoad(given: Given) {
  const { widths, tiers, formats } = given.wanted;
  const rate = planRate(given);
  return {
    ...rate,
    unitsPerSecond: figure('units a second')`${given.unitsPerHour} ÷ ${SECONDS_PER_HOUR} s`,
    variantsPerImage: figure(
      'variants an image',
    )`${widths.length} of PREWARM_WIDTHS × ${tiers.length} of PREWARM_TIERS × ${formats.length} of PREWARM_FORMATS`,
    fetchedGbPerSecond: figure(
      "from clients' servers",
      'GB/s',
    )`${rate.imagesPerSecond} images/s × ${given.sourceKb} KB ÷ ${KB_PER_GB}`,
  };
}

export type Load = ReturnType<typeof planLoad>;

/** A quarter more than the load needs, so that the queue gets shorter again after each peak. */
const HEADROOM = 1.25;

/** How many environments of the worker function that takes. `plan` and `deploy:check` both go by it. */
export function planWorkers(demand: Demand) {
  const { imagesPerSecond } = planRate(demand);
  const vcpus = figure('vCPUs a worker')`${demand.memoryMb} MB ÷ ${LIMITS.mbPerVcpu} MB`;
  const secondsPerImage = figure('CPU an image', 's')`${demand.msPerImage} ms ÷ ${1000}`;
  const busyVcpus = figure('vCPUs at work')`${imagesPerSecond} images/s × ${secondsPerImage} s`;
  const concurrency = figure('workers that it takes')`⌈${busyVcpus} ÷ ${vcpus} vCPU⌉`;
  const maxConcurrency = maxConcurrencyOf(demand, busyVcpus, vcpus);
  return {
    secondsPerImage,
    vcpus,
    busyVcpus,
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

/**
 * The least memory, in whole vCPUs, with which as many workers as one stack may have are enough; the most that Lambda gives where
 * nothing is.
 */
export function memoryFor(demand: Omit<Demand, 'memoryMb' | 'maxConcurrency'>): number {
  const { busyVcpus } = planWorkers({ ...demand, memoryMb: LIMITS.mbPerVcpu, maxConcurrency: undefined });
  const vcpus = Math.max(1, Math.ceil((busyVcpus.value * HEADROOM) / LIMITS.eventSourceConcurrency));
  return Math.min(vcpus * LIMITS.mbPerVcpu, LIMITS.memoryMb);
}

/** How many stacks of the same workers the load takes: 1, unless its queue would only grow. */
export function stacksFor({ busyVcpus, vcpus }: Workers): number {
  const workers = busyVcpus.value / vcpus.value;
  const most = LIMITS.eventSourceConcurrency;
  return workers < most ? 1 : Math.ceil((workers * HEADROOM) / most);
}

function maxConcurrencyOf({ maxConcurrency }: Demand, busyVcpus: Figure, vcpus: Figure): Figure {
  const label = 'workers at most';
  if (maxConcurrency !== undefined) return figure(label)`${maxConcurrency}, as --concurrency says`;
  const wanted = figure(label)`⌈${busyVcpus} ÷ ${vcpus} vCPU × ${HEADROOM}⌉`;
  const most = LIMITS.eventSourceConcurrency;
  if (wanted.value > most) return figure(label)`${most}, the most of one event source`;
  return wanted.value < 2 ? figure(label)`${2}, the least that there can be` : wanted;
}
