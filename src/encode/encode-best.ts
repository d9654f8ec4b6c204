import type { Format, Tier } from '../protocol/request.ts';
import {
  bestWithinBudget,
  higherScore,
  losslessEncodings,
  lossyEncodings,
  paletteEncoding,
  smallestThatReaches,
} from './candidates.ts';
import type { EncoderSettings } from './encodings.ts';
import type { QualitySteps } from './quality-steps.ts';
import { findLowestStep, type Sample } from './search-quality.ts';
import type { Candidate, Still } from './still.ts';
import { LOWEST_TIER, TIER_QUALITY } from './tier-quality.ts';

export interface BestRequest {
  format: Format;
  tier: Tier;
  /** The score to reach: the target of the tier, or less for a source that was compressed hard; see `targetFor`. */
  target: number;
  /** A budget in bytes; see `EncodeRequest`. */
  maxBytes?: number | undefined;
}

/** What a search looks for. */
type Goal = Pick<BestRequest, 'tier' | 'target'>;

/** The second if the first is too far from the target for an estimate. */
const MAX_DRAFT_SAMPLES = 2;
/** One encode at the estimated quality, and one to correct it; a third if even that misses the target, and so on. */
const MAX_FINAL_SAMPLES = 4;
/** How far above the estimate the first encode is, as a part of the spread of estimates: a correction costs more than some bytes. */
const MARGIN = 0.35;
/** More bytes than this above what the target needs are worth another encode. */
const WORTH_CORRECTING = 1.06;
/** Fewer than a search for a score needs: bytes grow more evenly than scores. */
const MAX_BUDGET_SAMPLES = 4;
/** A less lossy encoding of the same kind is larger, so the others are not tried once one has this many times the bytes of the smallest. */
const HOPELESS = 2;

/**
 * Finds the smallest encoding of a still that reaches the target: drafts of each lossy encoding that can win tell which is likely to, and at
 * which quality, and each lossless one is tried. If none reaches the target, it returns the one with the highest score.
 *
 * @throws TypeError outside of `Still.withReference`
 */
export async function encodeBest(
  still: Still,
  { format, tier, target, maxBytes }: BestRequest,
): Promise<Candidate> {
  const goal = { tier, target };
  const candidates: Candidate[] = [];
  const fewestBytes = () =>
    Math.min(...candidates.filter(({ score }) => score >= target).map(({ body }) => body.byteLength));
  const palette = await paletteEncoding(format, still);
  if (palette) candidates.push(await still.encodeAndScore(palette));
  const lossy = lossyEncodings(format, still);
  const estimates: Estimate[] = [];
  for (const steps of lossy) estimates.push(await estimate(still, steps, goal));
  for (const likely of estimates.toSorted((one, other) => one.bytes - other.bytes))
    if (likely.bytes < fewestBytes()) candidates.push(await encodeNear(still, likely, goal));
  for (const settings of losslessEncodings(format, still)) {
    const candidate = await still.encodeAndScore(settings);
    candidates.push(candidate);
    if (candidate.body.byteLength > HOPELESS * fewestBytes()) break;
  }
  const best = smallestThatReaches(candidates, target);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const cheaper: Candidate[] = [];
  for (const steps of lossy) cheaper.push(await highestWithinBudget(still, steps, goal, maxBytes));
  return bestWithinBudget([...candidates, ...cheaper], maxBytes);
}

/** At which quality an encoding is expected to reach a target. */
interface Estimate {
  steps: QualitySteps;
  /** Between steps. */
  position: number;
  bytes: number;
}

/** Estimates by drafts where an encoding reaches the target. */
async function estimate(still: Still, steps: QualitySteps, { tier, target }: Goal): Promise<Estimate> {
  const { settingsAt, offsetFor, share } = steps.draft;
  const slope = steps.slopeFor(tier);
  const lowered = (TIER_QUALITY[tier].targetScore - target) / slope;
  const { crossing, samples } = await findLowestStep(
    {
      ...rangeOf(steps, still),
      start: stepOf(steps, steps.startAt(tier)) - lowered,
      slope,
      tolerance: 3 * steps.spreadFor(tier),
      maxSamples: MAX_DRAFT_SAMPLES,
      evaluate: evaluatorOf(still, steps.qualities, settingsAt),
    },
    target,
  );
  const last = samples.at(-1) as Candidate & Sample;
  const bytes = share * last.body.byteLength * steps.growth ** (crossing - last.step);
  return { steps, position: crossing + offsetFor(tier), bytes };
}

/** Encodes where an encoding is expected to reach the target, and corrects that until it does so and does not exceed it much. */
async function encodeNear(
  still: Still,
  { steps, position: expected }: Estimate,
  { tier, target }: Goal,
): Promise<Candidate> {
  const slope = steps.slopeFor(tier);
  const { from, to } = rangeOf(steps, still);
  const margin = MARGIN * steps.spreadFor(tier);
  const candidates: Candidate[] = [];
  let position = expected + margin;
  for (let samples = 0; samples < MAX_FINAL_SAMPLES; samples++) {
    position = Math.min(to, Math.max(from, position));
    const candidate = await still.encodeAndScore(settingsBetween(steps, position));
    candidates.push(candidate);
    const surplus = (candidate.score - target) / slope;
    const isReached = surplus >= 0;
    // What was reached is corrected once: a lower quality may miss the target.
    if (isReached && (steps.growth ** surplus <= WORTH_CORRECTING || position === from || samples > 0)) break;
    if (!isReached && (position === to || candidates.some(({ score }) => score >= target))) break;
    // By a step at least: a smaller change may be none.
    const change = margin / 2 - surplus;
    position += isReached ? Math.min(-1, change) : Math.max(1, change);
  }
  return smallestThatReaches(candidates, target);
}

/** Returns the settings for a position between steps: those of the nearest one, or some between two. */
function settingsBetween(
  { qualities, settingsAt, between }: QualitySteps,
  position: number,
): EncoderSettings {
  if (!between) return settingsAt(qualities[Math.round(position)] as number);
  const step = Math.ceil(position);
  return between(qualities[step] as number, step - position);
}

/** Returns the lowest and the highest step for a still. */
function rangeOf(steps: QualitySteps, { contentClass }: Still): { from: number; to: number } {
  return { from: stepOf(steps, steps.floor[contentClass]), to: steps.qualities.length - 1 };
}

/** Returns the highest quality of an encoding within a budget of bytes, but no lower one than reaches the target of the lowest tier. */
async function highestWithinBudget(
  still: Still,
  steps: QualitySteps,
  goal: Goal,
  maxBytes: number,
): Promise<Candidate> {
  const lowestGoal = { tier: LOWEST_TIER, target: TIER_QUALITY[LOWEST_TIER].targetScore };
  const lowest = await encodeNear(still, await estimate(still, steps, lowestGoal), lowestGoal);
  const highest = await encodeNear(still, await estimate(still, steps, goal), goal);
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
  const { reached, samples } = await findLowestStep(
    { from, to, start, slope, maxSamples: MAX_BUDGET_SAMPLES, evaluate },
    overBudget,
  );
  const within = samples.filter(({ value }) => value < overBudget);
  // The search ends when it expects the step below to be within the budget.
  for (let step = (reached?.step ?? to) - 1; within.length === 0 && step > from; step--) {
    const sample = await evaluate(step);
    if (sample.value < overBudget) within.push(sample);
  }
  return within.reduce<Candidate>(higherScore, lowest);
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
