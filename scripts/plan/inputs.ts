import { type Command, Option } from 'commander';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { addRequiredOption, numberWithin, wholeNumberWithin } from '../cli/options.ts';
import { type Figure, figure, show } from './figure.ts';
import { leastMemoryMb } from './load.ts';
import type { Measurement } from './measure.ts';
import { LIMITS, PRICES } from './prices-and-limits.ts';

/** What a plan is calculated from. `plan --json` prints it as `given`. */
export interface PlanInputs {
  unitsPerHour: number;
  imagesPerUnit: number;
  /** The variants to make of each image. */
  wanted: WantedVariants;
  /** CPU time of an image with all of its variants, on one vCPU, in milliseconds. */
  msPerImage: number;
  /** In KB of 1,000 bytes, like all sizes here. */
  sourceKb: number;
  variantKb: number;
  /** Of the worker function. */
  memoryMb: number;
  messagesPerBatch: number;
  /** The maximum number of workers; `undefined`: what the load needs and a quarter more. */
  maxConcurrency: number | undefined;
  viewsPerImage: number;
  /** The share of views that the CDN answers from its cache: 0 to 1. */
  cdnHitShare: number;
  /** The share of units that are purged at some time: 0 to 1. */
  purgedShare: number;
  monthsKept: number;
  /** Units that wait when the work starts. */
  backlogUnits: number;
  usdPerGbOut: number;
  /** What contractors pay for their mobile data. */
  usdPerMobileGb: number;
}

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
  json?: true;
}

/** Measured: twelve-megapixel originals of 2,600 KB become 71 KB at 1080 pixels. */
const ASSUMED_SOURCE_KB = 2600;
const ASSUMED_VARIANT_KB = 71;
/**
 * Encoding is not all of the work. Through the whole service, with originals of 10 megapixels and more, it is 0.88 of the CPU time:
 * the rest fetches and stores. Measured with `npm run bench -- throughput`.
 */
const ENCODING_SHARE = 0.88;

/** Adds the options with their bounds and defaults. */
export function addPlanOptions(command: Command): Command {
  const usd = numberWithin(0, 1000);
  const unitsPerHour = new Option('--units-per-hour <n>', 'how many data units come');
  return addRequiredOption(command, unitsPerHour.argParser(wholeNumberWithin(1, 1e9)))
    .option('--images <n>', 'images a unit', wholeNumberWithin(1, 1000), 5)
    .option(
      '--ms <n>',
      'CPU an image with all of its variants, in ms on one vCPU (by default measured)',
      numberWithin(0.001, 900_000),
    )
    .option('--photos <folder>', 'originals of your own to measure that with')
    .option(
      '--source-kb <n>',
      `an original, in KB ${orMeasured(ASSUMED_SOURCE_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--variant-kb <n>',
      `a variant, in KB ${orMeasured(ASSUMED_VARIANT_KB)}`,
      numberWithin(0.001, 1e9),
    )
    .option(
      '--memory <mb>',
      'of a worker; 1,769 MB have one vCPU (by default that, or as many times that as one stack needs)',
      wholeNumberWithin(LIMITS.leastMemoryMb, LIMITS.memoryMb),
    )
    .option('--batch <n>', 'messages that a worker is given at once', wholeNumberWithin(1, 10), 2)
    .option(
      '--concurrency <n>',
      'workers at once, at most (by default a quarter more than the load needs)',
      wholeNumberWithin(2, LIMITS.eventSourceConcurrency),
    )
    .option('--views <n>', 'of an image', numberWithin(0, 1e6), 3)
    .option('--cdn-hits <percent>', 'views that the CDN answers without S3', numberWithin(0, 100), 0)
    .option('--purged <percent>', 'units that are purged one day', numberWithin(0, 100), 1)
    .option('--months <n>', 'that variants are kept', numberWithin(0, 1200), 1)
    .option(
      '--backlog <units>',
      'that wait at the start (by default those of an hour)',
      wholeNumberWithin(0, 1e9),
    )
    .option('--egress-usd-per-gb <usd>', 'out of the CDN; $0.109 in India', usd, PRICES.usdPerGbOut)
    .option('--mobile-usd-per-gb <usd>', 'that contractors, who look at the images, pay', usd, 2)
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

/** CPU time of an image through the whole service, from the measured time of its encoding. */
export function measuredMsPerImage({ meanCpuMs }: Measurement): Figure {
  return figure(
    'CPU an image',
    meanCpuMs / ENCODING_SHARE,
    `${show(meanCpuMs)} ms of encoding ÷ ${ENCODING_SHARE}, its share of the work`,
    'ms',
  );
}
