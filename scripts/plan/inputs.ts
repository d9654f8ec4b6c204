import type { WantedVariants } from '../../src/unit/unit.ts';
import { type Figure, figure, show } from './figure.ts';
import type { Measurement } from './measure.ts';

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

/** Measured: twelve-megapixel originals of 2,600 KB become 71 KB at 1080 pixels. */
export const ASSUMED_SOURCE_KB = 2600;
export const ASSUMED_VARIANT_KB = 71;
/**
 * Encoding is not all of the work. Through the whole service, with originals of 10 megapixels and more, it is 0.88 of the CPU time:
 * the rest fetches and stores. Measured with `npm run bench -- misses`.
 */
const ENCODING_SHARE = 0.88;

/** CPU time of an image through the whole service, from the measured time of its encoding. */
export function measuredMsPerImage({ meanCpuMs }: Measurement): Figure {
  return figure(
    'CPU an image',
    meanCpuMs / ENCODING_SHARE,
    `${show(meanCpuMs)} ms of encoding ÷ ${ENCODING_SHARE}, its share of the work`,
    'ms',
  );
}
