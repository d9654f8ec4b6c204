import fc from 'fast-check';
import type { PlanInputs } from '../../../scripts/plan/inputs.ts';
import { pricesOf } from '../../../scripts/plan/prices.ts';

/** A million units an hour of five images that take 0.35 s each, from sources that answer at once: the load that the service is designed for. */
export const MILLION_UNITS: PlanInputs = {
  unitsPerHour: 1_000_000,
  imagesPerUnit: 5,
  wanted: { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
  msPerImage: 350,
  sourceKb: 2600,
  variantKb: 71,
  fetchMs: 0,
  fetchesPerHost: 4,
  memoryMb: 1769,
  containers: undefined,
  messagesPerBatch: 2,
  maxConcurrency: undefined,
  viewsPerImage: 3,
  cdnHitShare: 0,
  purgedShare: 0.01,
  monthsKept: 1,
  backlogUnits: 1_000_000,
  viewers: { us: 1 },
  earlyViewShare: 0.01,
  shieldRegion: 'us-east-1',
  usdPerGbOut: undefined,
  prices: pricesOf('us-east-1'),
  executionsLimit: 1000,
  logBytesPerImage: 130,
  usdPerMobileGb: 2,
};

/** Any load that the command accepts, except for the extremes of its options. */
export const anyInputs: fc.Arbitrary<PlanInputs> = fc.record({
  unitsPerHour: fc.integer({ min: 1, max: 20_000_000 }),
  imagesPerUnit: fc.integer({ min: 1, max: 1000 }),
  wanted: fc.record({
    widths: fc.uniqueArray(fc.constantFrom(160, 720, 1080, 2048), { minLength: 1 }),
    tiers: fc.uniqueArray(fc.constantFrom('saver' as const, 'balanced' as const, 'high' as const), {
      minLength: 1,
    }),
    formats: fc.uniqueArray(fc.constantFrom('avif' as const, 'webp' as const, 'jpeg' as const), {
      minLength: 1,
    }),
  }),
  msPerImage: fc.integer({ min: 1, max: 20_000 }),
  sourceKb: fc.integer({ min: 100, max: 20_000 }),
  variantKb: fc.integer({ min: 5, max: 90 }),
  fetchMs: fc.constantFrom(0, 300, 8000),
  fetchesPerHost: fc.constantFrom(1, 4),
  memoryMb: fc.integer({ min: 512, max: 10_240 }),
  containers: fc.constantFrom(
    undefined,
    { max: undefined, vcpus: 4, isSpot: true },
    { max: 25, vcpus: 2, isSpot: false },
  ),
  messagesPerBatch: fc.integer({ min: 1, max: 10 }),
  maxConcurrency: fc.option(fc.integer({ min: 2, max: 1000 }), { nil: undefined }),
  viewsPerImage: fc.integer({ min: 0, max: 100 }),
  cdnHitShare: fc.constantFrom(0, 0.25, 0.5, 1),
  purgedShare: fc.constantFrom(0, 0.01, 0.5, 1),
  monthsKept: fc.integer({ min: 0, max: 24 }),
  backlogUnits: fc.integer({ min: 0, max: 10_000_000 }),
  viewers: fc.constantFrom<PlanInputs['viewers']>({ us: 1 }, { eu: 0.6, in: 0.4 }, { us: 0.9, sa: 0.1 }),
  earlyViewShare: fc.constantFrom(0, 0.01, 1),
  shieldRegion: fc.constantFrom('us-east-1', 'eu-central-1', 'sa-east-1'),
  usdPerGbOut: fc.constantFrom(undefined, 0.085, 0.109),
  prices: fc.constantFrom('us-east-1', 'eu-west-1', 'mars-north-1').map(pricesOf),
  executionsLimit: fc.constantFrom(1000, 10),
  logBytesPerImage: fc.constantFrom(0, 130, 320),
  usdPerMobileGb: fc.constantFrom(0, 2, 10),
});
