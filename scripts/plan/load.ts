import { counted } from '../cli/text.ts';
import { type Figure, figure, roundUp, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { KB_PER_GB, LIMITS, SECONDS_PER_HOUR } from './limits.ts';

/** The inputs that decide how many workers are needed. */
export interface WorkerDemand
  extends Pick<PlanInputs, 'unitsPerHour' | 'imagesPerUnit' | 'msPerImage' | 'memoryMb' | 'maxConcurrency'> {
  /** Concurrent executions that the account may have. Default: what AWS gives to established accounts. */
  executionsLimit?: number;
  /** Time for each image in which a worker waits and its CPU has nothing to do. Default: none. */
  waiting?: Figure;
}

const NO_WAITING = figure('waiting for originals, an image', 0, '0, not counted', 's');

/** A quarter more workers than the load needs, so that the queue shrinks again after each peak. */
export const HEADROOM = 1.25;

/** Images to make, an hour and a second. */
export function calculateImageRate(inputs: Pick<WorkerDemand, 'unitsPerHour' | 'imagesPerUnit'>) {
  const { unitsPerHour, imagesPerUnit } = inputs;
  const imagesPerHour = figure(
    'images an hour',
    unitsPerHour * imagesPerUnit,
    `${show(unitsPerHour)} units × ${show(imagesPerUnit)} images`,
  );
  const imagesPerSecond = figure(
    'images a second',
    imagesPerHour.value / SECONDS_PER_HOUR,
    `${show(imagesPerHour)} ÷ ${show(SECONDS_PER_HOUR)} s`,
  );
  return { imagesPerHour, imagesPerSecond };
}

/** The work that arrives: units, images, variants, and the bytes of the originals. */
export function calculateLoad(inputs: PlanInputs) {
  const { widths, tiers, formats } = inputs.wanted;
  const rate = calculateImageRate(inputs);
  const { imagesPerSecond } = rate;
  return {
    ...rate,
    unitsPerSecond: figure(
      'units a second',
      inputs.unitsPerHour / SECONDS_PER_HOUR,
      `${show(inputs.unitsPerHour)} ÷ ${show(SECONDS_PER_HOUR)} s`,
    ),
    variantsPerImage: figure(
      'variants an image',
      widths.length * tiers.length * formats.length,
      [
        counted(widths.length, 'width'),
        counted(tiers.length, 'tier'),
        counted(formats.length, 'format'),
      ].join(' × '),
    ),
    fetchedGbPerSecond: figure(
      "from clients' servers",
      (imagesPerSecond.value * inputs.sourceKb) / KB_PER_GB,
      `${show(imagesPerSecond)} images/s × ${show(inputs.sourceKb)} KB ÷ ${show(KB_PER_GB)}`,
      'GB/s',
    ),
  };
}

export type Load = ReturnType<typeof calculateLoad>;

/** How many environments of the worker function the load needs. `plan` and `deploy:check` share this. */
export function calculateWorkers(demand: WorkerDemand) {
  const { imagesPerSecond } = calculateImageRate(demand);
  const vcpus = figure(
    'vCPUs a worker',
    demand.memoryMb / LIMITS.mbPerVcpu,
    `${show(demand.memoryMb)} MB ÷ ${show(LIMITS.mbPerVcpu)} MB`,
  );
  const secondsPerImage = figure(
    'CPU an image',
    demand.msPerImage / 1000,
    `${show(demand.msPerImage)} ms ÷ 1,000`,
    's',
  );
  const busyVcpus = figure(
    'busy vCPUs',
    imagesPerSecond.value * secondsPerImage.value,
    `${show(imagesPerSecond)} images/s × ${show(secondsPerImage)} s`,
  );
  const waitSecondsPerImage = demand.waiting ?? NO_WAITING;
  const busy = figure(
    'busy workers',
    imagesPerSecond.value * (secondsPerImage.value / vcpus.value + waitSecondsPerImage.value),
    `${show(imagesPerSecond)} images/s × (${show(secondsPerImage)} s ÷ ${show(vcpus)} vCPU + ${show(waitSecondsPerImage)} s waiting)`,
  );
  const concurrency = figure('workers needed', roundUp(busy.value), `⌈${show(busy)}⌉`);
  const maxConcurrency = calculateMaxConcurrency(demand, busy);
  const { executionsLimit = LIMITS.concurrentExecutions } = demand;
  const others = Math.min(LIMITS.executionsForOthers, Math.ceil(executionsLimit / 2));
  return {
    secondsPerImage,
    waitSecondsPerImage,
    vcpus,
    busyVcpus,
    busy,
    concurrency,
    maxConcurrency,
    executions: figure(
      'concurrent executions needed',
      maxConcurrency.value + others,
      `${show(maxConcurrency)} workers + ${show(others)} for the image function and all else`,
    ),
    capacityPerSecond: figure(
      'images a second, all workers busy',
      maxConcurrency.value / (secondsPerImage.value / vcpus.value + waitSecondsPerImage.value),
      `${show(maxConcurrency)} workers ÷ (${show(secondsPerImage)} s ÷ ${show(vcpus)} vCPU + ${show(waitSecondsPerImage)} s waiting)`,
    ),
  };
}

export interface Workers extends ReturnType<typeof calculateWorkers> {
  /** Where containers work on the queue. */
  containers?: Figure;
  maxContainers?: Figure;
}

/** The user's limit, or what the load needs with headroom, within what an event source allows. */
function calculateMaxConcurrency(
  { maxConcurrency, executionsLimit = LIMITS.concurrentExecutions }: WorkerDemand,
  busy: Figure,
): Figure {
  const label = 'workers at most';
  if (maxConcurrency !== undefined)
    return figure(label, maxConcurrency, `${show(maxConcurrency)}, as the options say`);
  const wanted = roundUp(busy.value * HEADROOM);
  const fitting = workersThatFit(executionsLimit);
  if (executionsLimit < LIMITS.concurrentExecutions && wanted > fitting)
    return figure(label, fitting, fittingFormula(fitting, executionsLimit));
  const limit = LIMITS.eventSourceConcurrency;
  if (wanted > limit) return figure(label, limit, `${show(limit)}, the limit of one event source`);
  const least = LIMITS.leastEventSourceConcurrency;
  if (wanted < least) return figure(label, least, `${show(least)}, the minimum`);
  return figure(label, wanted, `⌈${show(busy)} × ${HEADROOM}⌉`);
}

/** How many workers fit into the concurrent executions of an account beside viewers. Half of what a small account has is left to these. */
export function workersThatFit(executionsLimit: number): number {
  const half = Math.floor(executionsLimit / 2);
  return Math.max(LIMITS.leastEventSourceConcurrency, executionsLimit - LIMITS.executionsForOthers, half);
}

function fittingFormula(fitting: number, executionsLimit: number): string {
  const ofAccount = `${show(executionsLimit)} executions of the account`;
  if (fitting === executionsLimit - LIMITS.executionsForOthers)
    return `${ofAccount} − ${show(LIMITS.executionsForOthers)} for all else`;
  return `⌊${ofAccount} ÷ 2⌋`;
}

/** The workers that the load keeps busy, or the maximum, whichever is less. */
export function busyWorkers({ concurrency, maxConcurrency }: Workers): Figure {
  return concurrency.value < maxConcurrency.value ? concurrency : maxConcurrency;
}

/**
 * The least memory in MB, in whole vCPUs, with which the workers of one stack can carry the load; Lambda's maximum if even that is
 * not enough.
 */
export function leastMemoryMb(demand: Omit<WorkerDemand, 'memoryMb' | 'maxConcurrency'>): number {
  const { busyVcpus } = calculateWorkers({
    ...demand,
    memoryMb: LIMITS.mbPerVcpu,
    maxConcurrency: undefined,
  });
  const vcpus = Math.max(1, Math.ceil((busyVcpus.value * HEADROOM) / LIMITS.eventSourceConcurrency));
  return Math.min(vcpus * LIMITS.mbPerVcpu, LIMITS.memoryMb);
}

/** CDK options of the stack, by name. */
export type StackOptions = Readonly<Record<string, number>>;

/** The CDK options with which the stack has the planned workers. */
export function workerStackOptions({ memoryMb }: Pick<WorkerDemand, 'memoryMb'>, workers: Workers) {
  return { workerMaxConcurrency: workers.maxConcurrency.value, workerMemoryMb: memoryMb };
}

/** The options as they stand in `cdk.json`. */
export function formatStackOptions(options: StackOptions): string {
  const parts = Object.entries(options).map(([name, value]) => `"${name}": ${value}`);
  return `deploy with ${parts.join(', ')}`;
}

/** What to change when the workers of one stack cannot carry the load; `undefined` when they can. */
export function adviceBeyondOneStack(demand: WorkerDemand, workers: Workers): string | undefined {
  if (workers.maxContainers) return undefined;
  const stacks = stacksNeeded(workers);
  if (stacks === 1) return undefined;
  const memoryMb = leastMemoryMb(demand);
  const larger = memoryMb > demand.memoryMb ? `"workerMemoryMb": ${memoryMb} (--memory), or ` : '';
  return `beyond one stack: ${larger}${stacks} stacks, each with its share of the units and its own concurrent executions`;
}

/** How many stacks of these workers the load needs: 1, unless the queue of one stack would only grow. */
function stacksNeeded({ busy }: Pick<Workers, 'busy'>): number {
  const workers = busy.value;
  const limit = LIMITS.eventSourceConcurrency;
  return workers < limit ? 1 : Math.ceil((workers * HEADROOM) / limit);
}
