import type { Settings } from '../../infra/settings.ts';
import { counted, formatCount } from '../cli/text.ts';
import { assumedMsPerImage } from '../plan/assumed-ms.ts';
import { type Figure, formatNumber, roundUp } from '../plan/figure.ts';
import { SECONDS_PER_HOUR } from '../plan/limits.ts';
import {
  adviceBeyondOneStack,
  calculateImageRate,
  calculateWorkers,
  formatStackOptions,
  HEADROOM,
  leastMemoryMb,
  workerStackOptions,
} from '../plan/load.ts';
import { ASSUMED_FETCH_MS, calculateWaiting, fetchesPerHost } from '../plan/waiting.ts';
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
  const { workerMemoryMb: memoryMb, workerMaxConcurrency: maxConcurrency, fargateVcpus } = settings;
  const load = { imagesPerUnit: asked.images, msPerImage, unitsPerHour: asked.unitsPerHour ?? 0 };
  const waitingWith = (mb: number) =>
    calculateWaiting({
      ...{ ...load, memoryMb: mb, fetchMs: ASSUMED_FETCH_MS },
      ...{ messagesPerBatch: settings.workerBatchSize, fetchesPerHost: fetchesPerHost(settings.config) },
    });
  const { capacityPerSecond, secondsPerImage, executions } = calculateWorkers({
    ...load,
    ...{ memoryMb, maxConcurrency, waiting: waitingWith(memoryMb) },
  });
  const perWorker = capacityPerSecond.value / maxConcurrency;
  const shared = { executions, imagesPerSecond: (workers: number) => workers * perWorker };
  const perTask = fargateVcpus / secondsPerImage.value;
  const capacity = capacityPerSecond.value + (settings.fargateMaxTasks ?? 0) * perTask;
  const say = (state: Finding['state'], found: string, todo?: string): Finding => ({
    ...{ state, what: WHAT, found },
    ...(todo !== undefined && { todo }),
  });
  if (asked.unitsPerHour === undefined)
    return { ...shared, finding: say('ok', describeCapacity(settings, load, capacity)) };

  const mb = asked.memory ?? Math.max(memoryMb, leastMemoryMb(load));
  const demand = { ...load, memoryMb: mb, maxConcurrency: undefined, waiting: waitingWith(mb) };
  const workers = calculateWorkers(demand);
  const { imagesPerSecond } = calculateImageRate(load);
  const found = `${counted(load.unitsPerHour, 'unit')} an hour × ${counted(load.imagesPerUnit, 'image')} = ${formatNumber(imagesPerSecond.value)} images a second of ${formatNumber(msPerImage)} ms: ${formatCount(workers.concurrency.value)} workers needed, ${formatCount(workers.maxConcurrency.value)} at most`;
  if (capacity > imagesPerSecond.value)
    return { ...shared, finding: say('ok', `${found}; the options have ${workersOf(settings)}`) };
  if (settings.fargateMaxTasks !== undefined) {
    const tasks = roundUp((imagesPerSecond.value * HEADROOM) / perTask);
    return { ...shared, finding: say('missing', found, formatStackOptions({ fargateMaxTasks: tasks })) };
  }
  const todo =
    adviceBeyondOneStack(demand, workers) ?? formatStackOptions(workerStackOptions(demand, workers));
  return { ...shared, finding: say('missing', found, todo), executions: workers.executions };
}

function describeCapacity(
  settings: Settings,
  { msPerImage, imagesPerUnit }: { msPerImage: number; imagesPerUnit: number },
  imagesPerSecond: number,
): string {
  const { prewarm, prewarmEffort } = settings.config;
  const { widths, formats, tiers } = prewarm;
  const variants = `${prewarmEffort}: ${formats.join(' and ')}, ${tiers.join(' and ')}, ${widths.join(' and ')} px`;
  const unitsPerHour = Math.floor((imagesPerSecond * SECONDS_PER_HOUR) / imagesPerUnit);
  return `${workersOf(settings)} make ${formatNumber(imagesPerSecond)} images a second of ${formatNumber(msPerImage)} ms (${variants}): ${counted(unitsPerHour, 'unit')} of ${counted(imagesPerUnit, 'image')} an hour`;
}

function workersOf({
  workerMaxConcurrency,
  workerMemoryMb,
  fargateMaxTasks,
  fargateVcpus,
}: Settings): string {
  const functions = `${counted(workerMaxConcurrency, 'worker')} of ${formatCount(workerMemoryMb)} MB`;
  if (fargateMaxTasks === undefined) return functions;
  return `${functions} and ${counted(fargateMaxTasks, 'container')} of ${counted(fargateVcpus, 'vCPU')}`;
}
