import { nearestShieldRegion } from '../../infra/regions.ts';
import type { Settings } from '../../infra/settings.ts';
import { assumedMsPerImage } from './assumed-ms.ts';
import { addContainers } from './containers.ts';
import {
  ASSUMED_SOURCE_KB,
  ASSUMED_VARIANT_KB,
  type Containers,
  measuredMsPerImage,
  type PlanInputs,
} from './inputs.ts';
import { SECONDS_PER_HOUR } from './limits.ts';
import { calculateWorkers, leastMemoryMb, workersThatFit } from './load.ts';
import type { Measurement } from './measure.ts';
import type { PlanOptions } from './options.ts';
import { PRICES_REGION, pricesOf } from './prices.ts';
import { calculateWaiting, fetchesPerHost } from './waiting.ts';

/** The line of an image in the log, without and with metrics in it (`emfNamespace`): `test/scripts/plan/workers.test.ts` measures it. */
export const LOG_BYTES = { plain: 130, withMetrics: 320 } as const;

/**
 * What a plan is calculated from: the options of the command, then those of the stack, then what is measured or assumed. Without a load, the
 * units are as many as the workers of the stack's options make.
 *
 * @param region - of the stack; `undefined`: that of the prices
 */
export function toPlanInputs(
  options: PlanOptions,
  settings: Settings,
  { region = PRICES_REGION, measurement }: { region?: string; measurement: Measurement | undefined },
): PlanInputs {
  const { images: imagesPerUnit, executions: executionsLimit, fetchMs, unitsPerHour } = options;
  const { config } = settings;
  const demand = {
    unitsPerHour: unitsPerHour ?? 0,
    imagesPerUnit,
    msPerImage:
      options.ms ?? (measurement ? measuredMsPerImage(measurement).value : assumedMsPerImage(config)),
  };
  const work = {
    ...demand,
    ...{ fetchMs, executionsLimit },
    fetchesPerHost: fetchesPerHost(config),
    memoryMb: options.memory ?? memoryFor(demand, settings),
    messagesPerBatch: options.batch ?? settings.workerBatchSize,
    maxConcurrency: options.concurrency ?? stackWorkers(options, settings),
    containers: containersOf(settings, unitsPerHour !== undefined),
  };
  const planned = unitsPerHour ?? unitsOfStack(work);
  return {
    ...work,
    unitsPerHour: planned,
    wanted: config.prewarm,
    sourceKb: options.sourceKb ?? (measurement ? measurement.meanBytes / 1000 : ASSUMED_SOURCE_KB),
    variantKb: options.variantKb ?? (measurement ? measurement.meanVariantBytes / 1000 : ASSUMED_VARIANT_KB),
    viewsPerImage: options.views,
    cdnHitShare: options.cdnHits / 100,
    purgedShare: options.purged / 100,
    monthsKept: options.months,
    backlogUnits: options.backlog ?? unitsPerHour ?? 0,
    viewers: options.viewers,
    earlyViewShare: options.earlyViews / 100,
    shieldRegion: nearestShieldRegion(region) ?? PRICES_REGION,
    usdPerGbOut: options.egressUsdPerGb,
    prices: pricesOf(region),
    logBytesPerImage: logBytes(config),
    usdPerMobileGb: options.mobileUsdPerGb,
  };
}

type Demand = Pick<PlanInputs, 'unitsPerHour' | 'imagesPerUnit' | 'msPerImage'>;

/** That of the stack, or more where the workers of one stack cannot carry the load with it. */
function memoryFor(demand: Demand, { workerMemoryMb, fargateMaxTasks }: Settings): number {
  return fargateMaxTasks === undefined ? Math.max(workerMemoryMb, leastMemoryMb(demand)) : workerMemoryMb;
}

/** Without a load, the workers are those of the stack's options; with one, as many as it needs. */
function stackWorkers({ unitsPerHour, executions }: PlanOptions, settings: Settings): number | undefined {
  if (unitsPerHour !== undefined) return undefined;
  return Math.min(settings.workerMaxConcurrency, workersThatFit(executions));
}

function containersOf(
  { fargateMaxTasks, fargateVcpus, fargateSpot }: Settings,
  isLoadGiven: boolean,
): Containers | undefined {
  if (fargateMaxTasks === undefined) return undefined;
  return { max: isLoadGiven ? undefined : fargateMaxTasks, vcpus: fargateVcpus, isSpot: fargateSpot };
}

/** Units an hour that the workers make if they are busy all the time. */
function unitsOfStack(
  work: Parameters<typeof calculateWaiting>[0] & Demand & Pick<PlanInputs, 'containers' | 'maxConcurrency'>,
): number {
  const waiting = calculateWaiting(work);
  const functions = calculateWorkers({ ...work, waiting });
  const workers = work.containers ? addContainers(functions, work.containers) : functions;
  // One fewer than they make: the queue of exactly as many would never be empty again.
  const units = (workers.capacityPerSecond.value * SECONDS_PER_HOUR) / work.imagesPerUnit;
  return Math.max(1, Math.ceil(units) - 1);
}

function logBytes({ logLevel, emfNamespace }: Settings['config']): number {
  if (!['info', 'debug', 'trace'].includes(logLevel)) return 0;
  return emfNamespace === undefined ? LOG_BYTES.plain : LOG_BYTES.withMetrics;
}
