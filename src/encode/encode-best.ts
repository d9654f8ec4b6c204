import type { Format, Tier } from '../protocol/request.ts';
import { isDrawn } from './content-class.ts';
import type { EncoderSettings } from './encodings.ts';
import { AVIF_STEPS, jpegSteps, type QualitySteps, webpSteps } from './quality-steps.ts';
import { findLowestStep, type Sample } from './search-quality.ts';
import type { Candidate, Still } from './still.ts';
import { LOWEST_TIER, TIER_QUALITY } from './tier-quality.ts';

export interface BestRequest {
  format: Format;
  tier: Tier;
  /** A budget in bytes; see `EncodeRequest`. */
  maxBytes?: number | undefined;
}

const MAX_DRAFT_SAMPLES = 3;
/** Fewer than a search for a score needs: bytes grow more evenly than scores. */
const MAX_BUDGET_SAMPLES = 4;
/** Up to this size, the container of AVIF weighs so much that other encodings may be smaller. */
const MAX_SMALL_PIXELS = 128 * 128;

/**
 * Finds the smallest encoding of a still that reaches the target of its tier: it searches the quality of each lossy encoding and tries each
 * of the fixed settings. If none reaches the target, it returns the one with the highest score.
 *
 * @throws TypeError outside of `Still.withReference`
 */
export async function encodeBest(still: Still, { format, tier, maxBytes }: BestRequest): Promise<Candidate> {
  const { lossy, fixed } = searchSpaceOf(format, still);
  const candidates: Candidate[] = [];
  for (const steps of lossy) candidates.push(await lowestQuality(still, steps, tier));
  for (const settings of fixed) candidates.push(await still.encodeAndScore(settings));
  const best = smallestThatReaches(candidates, TIER_QUALITY[tier].targetScore);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const cheaper: Candidate[] = [];
  for (const steps of lossy) cheaper.push(await highestWithinBudget(still, steps, tier, maxBytes));
  return bestWithinBudget([...candidates, ...cheaper], maxBytes);
}

interface SearchSpace {
  /** Encodings whose quality is searched. */
  lossy: readonly QualitySteps[];
  /** Settings without a quality. */
  fixed: readonly EncoderSettings[];
}

function searchSpaceOf(format: Format, { contentClass, width, height, isOpaque }: Still): SearchSpace {
  const isSmall = width * height <= MAX_SMALL_PIXELS;
  const triesLossless = isDrawn(contentClass) || isSmall;
  const webp = webpSteps(contentClass);
  const jpegs = contentClass === 'photo' ? [jpegSteps('4:2:0')] : [jpegSteps('4:2:0'), jpegSteps('4:4:4')];
  switch (format) {
    case 'avif':
      return {
        lossy: isSmall ? [AVIF_STEPS, webp] : [AVIF_STEPS],
        fixed: triesLossless ? LOSSLESS_WEBP : [],
      };
    case 'webp':
      // JPEG would flatten transparency on white.
      return { lossy: isOpaque ? [webp, ...jpegs] : [webp], fixed: triesLossless ? LOSSLESS_WEBP : [] };
    case 'jpeg':
      return { lossy: jpegs, fixed: triesLossless ? LOSSLESS_PNG : [] };
  }
}

/** Near-lossless levels, and lossless. */
const LOSSLESS_WEBP: readonly EncoderSettings[] = [20, 60, 100].map((nearLossless) => ({
  encoding: 'webp',
  nearLossless,
}));
const LOSSLESS_PNG: readonly EncoderSettings[] = [
  { encoding: 'png', colours: 'palette' },
  { encoding: 'png', colours: 'all' },
];

/** Returns the lowest quality of an encoding that reaches a tier's target; if none does, the candidate with the highest score. */
async function lowestQuality(still: Still, steps: QualitySteps, tier: Tier): Promise<Candidate> {
  const target = TIER_QUALITY[tier].targetScore;
  const { maxSamples, slope } = steps;
  const range = { from: stepOf(steps, steps.floor[still.contentClass]), to: steps.qualities.length - 1 };
  const usual = { start: stepOf(steps, steps.startAt(tier)), slope };
  let estimate = usual;
  if (steps.draft) {
    const { settingsAt, offsetFor } = steps.draft;
    const evaluate = evaluatorOf(still, steps.qualities, settingsAt);
    const draft = await findLowestStep(
      { ...range, ...usual, maxSamples: MAX_DRAFT_SAMPLES, evaluate },
      target,
    );
    estimate = { start: draft.crossing + offsetFor(tier), slope: draft.slope };
  }
  const evaluate = evaluatorOf(still, steps.qualities, steps.settingsAt);
  const found = await findLowestStep({ ...range, ...estimate, maxSamples, evaluate }, target);
  const { reached, samples } = found;
  if (!reached) return samples.reduce(higherScore);
  const between = steps.between?.(
    steps.qualities[reached.step] as number,
    (reached.score - target) / found.slope,
  );
  if (!between || reached.step === range.from) return reached;
  return smallestThatReaches([reached, await still.encodeAndScore(between)], target);
}

/** Returns the highest quality of an encoding within a budget of bytes, but no lower one than reaches the target of the lowest tier. */
async function highestWithinBudget(
  still: Still,
  steps: QualitySteps,
  tier: Tier,
  maxBytes: number,
): Promise<Candidate> {
  const lowest = await lowestQuality(still, steps, LOWEST_TIER);
  const highest = await lowestQuality(still, steps, tier);
  if (lowest.body.byteLength > maxBytes || highest.body.byteLength <= maxBytes) return lowest;
  // Bytes grow by about the same factor from step to step, so their logarithm is almost linear.
  const from = stepOf(steps, qualityOf(lowest));
  const to = stepOf(steps, qualityOf(highest));
  const evaluate = async (step: number) => {
    const candidate = await still.encodeAndScore(steps.settingsAt(steps.qualities[step] as number));
    return { ...candidate, step, value: Math.log(candidate.body.byteLength) };
  };
  const slope = Math.log(highest.body.byteLength / lowest.body.byteLength) / Math.max(1, to - from);
  const start = from + Math.log(maxBytes / lowest.body.byteLength) / slope;
  const overBudget = Math.log(maxBytes + 1);
  const { samples } = await findLowestStep(
    { from, to, start, slope, maxSamples: MAX_BUDGET_SAMPLES, evaluate },
    overBudget,
  );
  return samples.filter(({ value }) => value < overBudget).reduce<Candidate>(higherScore, lowest);
}

/** Returns the lowest step of at least a quality. */
function stepOf({ qualities }: QualitySteps, quality: number): number {
  return qualities.findIndex((one) => one >= quality);
}

function qualityOf({ settings }: Candidate): number {
  return 'quality' in settings ? settings.quality : Number.NaN;
}

function evaluatorOf(
  still: Still,
  qualities: readonly number[],
  settingsAt: QualitySteps['settingsAt'],
): (step: number) => Promise<Candidate & Sample> {
  return async (step) => {
    const candidate = await still.encodeAndScore(settingsAt(qualities[step] as number));
    return { ...candidate, step, value: candidate.score };
  };
}

/** Returns the candidate with the highest score if none reaches the target. */
function smallestThatReaches(candidates: readonly Candidate[], target: number): Candidate {
  const reaching = candidates.filter(({ score }) => score >= target);
  if (reaching.length === 0) return candidates.reduce(higherScore);
  return reaching.reduce((least, one) => (one.body.byteLength < least.body.byteLength ? one : least));
}

/** Returns the candidate with the highest score within the budget; if there is none, the smallest that reaches the target of the lowest tier. */
function bestWithinBudget(candidates: readonly Candidate[], maxBytes: number): Candidate {
  const within = candidates.filter(
    ({ body, score }) => body.byteLength <= maxBytes && score >= TIER_QUALITY[LOWEST_TIER].targetScore,
  );
  return within.length > 0
    ? within.reduce(higherScore)
    : smallestThatReaches(candidates, TIER_QUALITY[LOWEST_TIER].targetScore);
}

function higherScore<C extends Candidate>(one: C, other: C): C {
  return other.score > one.score ? other : one;
}
