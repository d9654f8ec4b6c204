import { type Command, Option } from 'commander';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { numberWithin, wholeNumberWithin } from '../command/number-within.ts';
import { addRequiredOption } from '../command/required-option.ts';
import { type Figure, figure } from './figure.ts';
import type { Given } from './given.ts';
import { LIMITS } from './limits.ts';
import { memoryFor } from './load.ts';
import type { Measurement } from './measure.ts';
import { PRICES } from './prices.ts';

/** What the user says; what they do not say has a default, or is measured. */
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
const SOURCE_KB = 2600;
const VARIANT_KB = 71;
/**
 * Encoding is not all of the work. Through the whole service, with originals of 10 megapixels and more, it is 0.88 of what the
 * cores do: the rest fetches and stores. Measured with `scripts/bench/throughput.ts`.
 */
const ENCODING_SHARE = 0.88;

export function addPlanOptions(command: Command): Command {
  const dollars = numberWithin(0, 1000);
  return addRequiredOption(
    command,
    new Option('--units-per-hour <n>', 'how many data units come').argParser(wholeNumberWithin(1, 1e9)),
  )
    .option('--images <n>', 'images a unit', wholeNumberWithin(1, 1000), 5)
    .option(
      '--ms <n>',
      'CPU an image with all of its variants, in ms on one vCPU (by default measured)',
      numberWithin(0.001, 900_000),
    )
    .option('--photos <folder>', 'originals of your own to measure that with')
    .option('--source-kb <n>', `an original, in KB ${sizeDefault(SOURCE_KB)}`, numberWithin(0.001, 1e9))
    .option('--variant-kb <n>', `a variant, in KB ${sizeDefault(VARIANT_KB)}`, numberWithin(0.001, 1e9))
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
    .option('--egress-usd-per-gb <usd>', 'out of the CDN; $0.109 in India', dollars, PRICES.usdPerGbOut)
    .option('--mobile-usd-per-gb <usd>', 'that contractors, who look at the images, pay', dollars, 2)
    .option('--json', 'print one JSON object');
}

/**
 * Puts together what a plan is made for.
 *
 * @param measurement - where `--ms` is not given
 */
export function toGiven(
  options: PlanOptions,
  wanted: WantedVariants,
  measurement: Measurement | undefined,
): Given {
  // What comes with the packages is too small to stand for originals, or for what becomes of them.
  const own = options.photos === undefined ? undefined : measurement;
  const demand = {
    unitsPerHour: options.unitsPerHour,
    imagesPerUnit: options.images,
    msPerImage: measurement ? measuredMs(measurement).value : (options.ms ?? 0),
  };
  return {
    ...demand,
    wanted,
    sourceKb: options.sourceKb ?? (own ? own.meanBytes / 1000 : SOURCE_KB),
    variantKb: options.variantKb ?? (own ? own.meanVariantBytes / 1000 : VARIANT_KB),
    memoryMb: options.memory ?? memoryFor(demand),
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

function sizeDefault(kb: number): string {
  return `(default: ${kb}, or that of --photos)`;
}

/** What an image takes, from what encoding it was measured to take. */
export function measuredMs({ meanCpuMs }: Measurement): Figure {
  return figure('CPU an image', 'ms')`${meanCpuMs} ms of encoding ÷ ${ENCODING_SHARE}, its share of the work`;
}
