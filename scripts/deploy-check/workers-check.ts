import type { Settings } from '../../infra/settings.ts';
import { counted, formatCount } from '../cli/text.ts';
import { assumedMsPerImage } from '../plan/assumed-ms.ts';
import { type Figure, formatNumber } from '../plan/figure.ts';
import {
  adviceBeyondOneStack,
  calculateImageRate,
  calculateWorkers,
  formatStackOptions,
  leastMemoryMb,
  type Workers,
  workerStackOptions,
} from '../plan/load.ts';
import { SECONDS_PER_HOUR } from '../plan/prices-and-limits.ts';
import type { Finding } from './finding.ts';

/** The load that an operator asks about. What is not given follows from the options of the stack. */
export interface AskedLoad {
  unitsPerHour?: number;
  images: number;
  /** CPU time of an image with all of its variants, on one vCPU. */
  ms?: number;
  /** Of a worker, in MB. */
  memory?: number;
}

/** What the account has to allow for the workers, by the figures of `plan`. */
export interface WorkersCheck {
  finding: Finding;
  /** Concurrent executions that the stack needs. */
  executions: Figure;
  /** How many images a second so many workers make. */
  imagesPerSecond: (workers: number) => number;
}

const WHAT = 'workers';

/** Says what the workers of the stack's options carry, or whether they carry the load that is asked about. */
export function checkWorkers(settings: Settings, asked: AskedLoad): WorkersCheck {
  const msPerImage = asked.ms ?? assumedMsPerImage(settings.config);
  const own = {
    imagesPerUnit: asked.images,
    msPerImage,
    memoryMb: settings.workerMemoryMb,
    maxConcurrency: settings.workerMaxConcurrency,
  };
  const ownWorkers = calculateWorkers({ ...own, unitsPerHour: 0 });
  const perWorker = ownWorkers.capacityPerSecond.value / own.maxConcurrency;
  const shared = { imagesPerSecond: (workers: number) => workers * perWorker };
  if (asked.unitsPerHour === undefined) {
    const finding: Finding = { state: 'ok', what: WHAT, found: describeCapacity(settings, own, ownWorkers) };
    return { ...shared, finding, executions: ownWorkers.executions };
  }
  const load = { unitsPerHour: asked.unitsPerHour, imagesPerUnit: asked.images, msPerImage };
  const demand = { ...load, memoryMb: asked.memory ?? leastMemoryMb(load), maxConcurrency: undefined };
  const workers = calculateWorkers(demand);
  const { imagesPerSecond } = calculateImageRate(load);
  const found = `${counted(load.unitsPerHour, 'unit')} an hour × ${counted(load.imagesPerUnit, 'image')} = ${formatNumber(imagesPerSecond.value)} images a second of ${formatNumber(msPerImage)} ms: ${formatCount(workers.concurrency.value)} workers needed, ${formatCount(workers.maxConcurrency.value)} at most`;
  const isEnough = ownWorkers.capacityPerSecond.value > imagesPerSecond.value;
  if (isEnough) {
    const enough = `${found}; the options have ${workersOf(own)}`;
    return {
      ...shared,
      finding: { state: 'ok', what: WHAT, found: enough },
      executions: ownWorkers.executions,
    };
  }
  const todo =
    adviceBeyondOneStack(demand, workers) ?? formatStackOptions(workerStackOptions(demand, workers));
  return {
    ...shared,
    finding: { state: 'missing', what: WHAT, found, todo },
    executions: workers.executions,
  };
}

interface OwnWorkers {
  imagesPerUnit: number;
  msPerImage: number;
  memoryMb: number;
  maxConcurrency: number;
}

function describeCapacity({ config }: Settings, own: OwnWorkers, { capacityPerSecond }: Workers): string {
  const { widths, formats, tiers } = config.prewarm;
  const variants = `${config.prewarmEffort}: ${formats.join(' and ')}, ${tiers.join(' and ')}, ${widths.join(' and ')} px`;
  const unitsPerHour = Math.floor((capacityPerSecond.value * SECONDS_PER_HOUR) / own.imagesPerUnit);
  return `${workersOf(own)} make ${formatNumber(capacityPerSecond.value)} images a second of ${formatNumber(own.msPerImage)} ms (${variants}): ${counted(unitsPerHour, 'unit')} of ${counted(own.imagesPerUnit, 'image')} an hour`;
}

function workersOf({ maxConcurrency, memoryMb }: OwnWorkers): string {
  return `${counted(maxConcurrency, 'worker')} of ${formatCount(memoryMb)} MB`;
}
