import type { WantedVariants } from '../../src/unit/unit.ts';
import { type Figure, figure, show } from './figure.ts';
import type { Measurement } from './measure.ts';
import type { RegionPrices, ViewerShares } from './prices.ts';

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
  /** How long it takes to fetch an original from a client's server, in milliseconds. */
  fetchMs: number;
  /** Originals that one worker fetches at a time from one host. */
  fetchesPerHost: number;
  /** Of the worker function. */
  memoryMb: number;
  /** Containers that work on the queue in place of the function, of which two are left beside them; `undefined`: there are none. */
  containers: Containers | undefined;
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
  /** Where viewers are. */
  viewers: ViewerShares;
  /** The share of views that come before their image is made: 0 to 1. */
  earlyViewShare: number;
  /** The region of Origin Shield that the stack would have, or has. */
  shieldRegion: string;
  /** A price for a GB out of the CDN that was agreed with AWS; `undefined`: its list prices. */
  usdPerGbOut: number | undefined;
  prices: RegionPrices;
  /** Concurrent executions that the account may have here. */
  executionsLimit: number;
  /** Bytes that are logged for an image. */
  logBytesPerImage: number;
  /** What contractors pay for their mobile data. */
  usdPerMobileGb: number;
}

/** `fargateMaxTasks`, `fargateVcpus` and `fargateSpot` of the stack. */
export interface Containers {
  /** `undefined`: what the load needs and a quarter more. */
  max: number | undefined;
  vcpus: number;
  isSpot: boolean;
}

/** Measured: twelve-megapixel originals of 2,600 KB become 71 KB at 1080 pixels. */
export const ASSUMED_SOURCE_KB = 2600;
export const ASSUMED_VARIANT_KB = 71;
/**
 * Encoding is not all of the work: on Lambda, fetching, storing and the way there and back take 50 to 60 ms an image, whatever its effort
 * (1.35 and 1.39 times bare sharp, which takes 178 and 133 ms). Measured with `npm run bench -- lambda` and `misses`; a server takes 25 ms.
 */
const OTHER_WORK_MS = 60;

/** CPU time of an image through the whole service, from the measured time of its encoding. */
export function measuredMsPerImage({ meanCpuMs }: Measurement): Figure {
  return figure(
    'CPU an image',
    meanCpuMs + OTHER_WORK_MS,
    `${show(meanCpuMs)} ms of encoding + ${OTHER_WORK_MS} ms to fetch and store`,
    'ms',
  );
}
