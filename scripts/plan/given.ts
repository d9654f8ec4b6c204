import type { WantedVariants } from '../../src/unit/unit.ts';

/** What a plan is made for. */
export interface Given {
  unitsPerHour: number;
  imagesPerUnit: number;
  /** What is made of each image. */
  wanted: WantedVariants;
  /** CPU that an image takes with all of its variants, on one vCPU, in milliseconds. */
  msPerImage: number;
  /** In KB of 1,000 bytes, like all sizes here. */
  sourceKb: number;
  variantKb: number;
  /** Of the worker function. */
  memoryMb: number;
  messagesPerBatch: number;
  /** How many workers there may be; `undefined`: what the load needs and a quarter more. */
  maxConcurrency: number | undefined;
  viewsPerImage: number;
  /** Of the views, how many the CDN answers by itself: 0 to 1. */
  cdnHitShare: number;
  /** Of the units, how many are purged one day: 0 to 1. */
  purgedShare: number;
  monthsKept: number;
  /** Units that wait when the work begins. */
  backlogUnits: number;
  usdPerGbOut: number;
  /** What contractors pay for their data. */
  usdPerMobileGb: number;
}
