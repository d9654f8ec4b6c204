import { type Command, Option } from 'commander';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { addRequiredOption, numberWithin, wholeNumberWithin } from '../cli/options.ts';
import { ASSUMED_SOURCE_KB, ASSUMED_VARIANT_KB, measuredMsPerImage, type PlanInputs } from './inputs.ts';
import { leastMemoryMb } from './load.ts';
import type { Measurement } from './measure.ts';
import { LIMITS, PRICES } from './prices-and-limits.ts';

/** Options of the command. An optional one that is missing is measured or assumed. */
export interface PlanOptions {
  unitsPerHour: number;
  images: number;
  ms?: number;
  photos?: string;
  sourceKb?: number;
  variantKb?: number;
  memory?: number;
  batch: number;
  concurrency?: number;
  views: number;
  cdnHits: number;
  purged: number;
  months: number;
  backlog?: number;
  egressUsdPerGb: number;
  mobileUsdPerGb: number;
  simulate?: true;
  seed: number;
  enqueued: number;
  broken: number;
  earlyViews: number;
  json?: true;
}

/** Adds the options with their bounds and defaults. */
export function addPlanOptions(command: Command): Command {
  const usd = numberWithin(0, 1000);
  const unitsPerHour = new Option('--units-per-hour <n>', 'data units to ingest an hour');
  return addRequiredOption(command, unitsPerHour.argParser(wholeNumberWithin(1, 1e9)))
    .option('--images <n>', 'images a unit', wholeNumberWithin(1, 1000), 5)
    .option(
      '--ms <n>',
      'CPU time of an image with all of its variants, in ms on one vCPU (measured by default)',
      numberWithin(0.001, 900_000),
    )
    .option('--photos <folder>', 'your own originals, to measure the CPU time with')
    .option(
      '--source-kb <n>',
      `size of an original, in KB ${orMeasured(ASSUMED_SOURCE_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--variant-kb <n>',
      `size of a variant, in KB ${orMeasured(ASSUMED_VARIANT_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--memory <mb>',
      'memory of a worker; 1,769 MB is one vCPU (default: that, or the multiple of it with which one stack can carry the load)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .option('--batch <n>', 'messages per invocation of a worker', wholeNumberWithin(1, 10), 2)
    .option(
      '--concurrency <n>',
      'maximum number of concurrent workers (default: a quarter more than the load needs)',
      wholeNumberWithin(2, LIMITS.eventSourceConcurrency),
    )
    .option('--views <n>', 'views of each image', numberWithin(0, 1e6), 3)
    .option(
      '--cdn-hits <percent>',
      'share of the views that the CDN answers without S3',
      numberWithin(0, 100),
      0,
    )
    .option('--purged <percent>', 'share of the units that are purged some day', numberWithin(0, 100), 1)
    .option('--months <n>', 'how long variants are kept', numberWithin(0, 1200), 1)
    .option(
      '--backlog <units>',
      'units that wait at the start (by default those of an hour)',
      wholeNumberWithin(0, 1e9),
    )
    .option(
      '--egress-usd-per-gb <usd>',
      'price of a GB out of the CDN; $0.109 in India',
      usd,
      PRICES.usdPerGbOut,
    )
    .option(
      '--mobile-usd-per-gb <usd>',
      'price of a GB of mobile data for contractors, who view the images',
      usd,
      2,
    )
    .option('--simulate', 'play the units of an hour, all sent at the start, second by second')
    .option('--seed <n>', 'of the simulation: the same gives the same', wholeNumberWithin(0, 2 ** 32 - 1), 1)
    .option(
      '--enqueued <n>',
      'units that are put on the queue a second in the simulation',
      numberWithin(0.001, 1e6),
      10_000,
    )
    .option('--broken <percent>', 'share of the images that are broken in it', numberWithin(0, 100), 1)
    .option(
      '--early-views <percent>',
      'share of the views in it that come before their image is made',
      numberWithin(0, 100),
      1,
    )
    .option('--json', 'print one JSON object');
}

function orMeasured(kb: number): string {
  return `(default: ${kb}, or that of --photos)`;
}

/**
 * Combines the options with what was measured and assumed.
 *
 * @param measurement - required without `--ms`
 */
export function toPlanInputs(
  options: PlanOptions,
  wanted: WantedVariants,
  measurement: Measurement | undefined,
): PlanInputs {
  // The packaged photographs are too small to stand for the sizes of originals and variants.
  const measuredSizes = options.photos === undefined ? undefined : measurement;
  const demand = {
    unitsPerHour: options.unitsPerHour,
    imagesPerUnit: options.images,
    msPerImage: measurement ? measuredMsPerImage(measurement).value : (options.ms ?? 0),
  };
  return {
    ...demand,
    wanted,
    sourceKb: options.sourceKb ?? (measuredSizes ? measuredSizes.meanBytes / 1000 : ASSUMED_SOURCE_KB),
    variantKb:
      options.variantKb ?? (measuredSizes ? measuredSizes.meanVariantBytes / 1000 : ASSUMED_VARIANT_KB),
    memoryMb: options.memory ?? leastMemoryMb(demand),
    messagesPerBatch: options.batch,
    maxConcurrency: options.concurrency,
    viewsPerImage: options.views,
    cdnHitShare: options.cdnHits / 100,
    purgedShare: options.purged / 100,
    monthsKept: options.months,
    backlogUnits: options.backlog ?? options.unitsPerHour,
    usdPerGbOut: options.egressUsdPerGb,
    usdPerMobileGb: options.mobileUsdPerGb,
  };
}
