import type { Format, Tier } from '../protocol/request.ts';
import {
  bestWithinBudget,
  higherScore,
  losslessEncodings,
  lossyEncodings,
  paletteEncoding,
  smallestThatReaches,
} from './candidates.ts';
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

const MAX_DRAFT_SAMPLES = 3;
/** Fewer than a search for a score needs: bytes grow more evenly than scores. */
const MAX_BUDGET_SAMPLES = 4;
/** A less lossy encoding of the same kind is larger, so the others are not tried once one has this many times the bytes of the smallest. */
const HOPELESS = 2;

/**
 * Finds the smallest encoding of a still that reaches the target: it searches the quality of each lossy encoding that can win and tries each
 * lossless one. If none reaches the target, it returns the one with the highest score.
 *
 * @throws TypeError outside of `Still.withReference`
 */
export async function encodeBest(
  still: Still,
  { format, tier, target, maxBytes }: BestRequest,
): Promise<Candidate> {
  const candidates: Candidate[] = [];
  const fewestBytes = () =>
    Math.min(...candidates.filter(({ score }) => score >= target).map(({ body }) => body.byteLength));
  const palette = await paletteEncoding(format, still);
  if (palette) candidates.push(await still.encodeAndScore(palette));
  const lossy = lossyEncodings(format, still);
  for (const steps of lossy) {
    const found = await lowestQuality(still, steps, { tier, target }, fewestBytes());
    if (found) candidates.push(found);
  }
  for (const settings of losslessEncodings(format, still)) {
    const candidate = await still.encodeAndScore(settings);
    candidates.push(candidate);
    if (candidate.body.byteLength > HOPELESS * fewestBytes()) break;
  }
  const best = smallestThatReaches(candidates, target);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const cheaper: Candidate[] = [];
  for (const steps of lossy)
    cheaper.push(await highestWithinBudget(still, steps, { tier, target }, maxBytes));
  return bestWithinBudget([...candidates, ...cheaper], maxBytes);
}

/**
 * Returns the lowest quality of an encoding that reaches the target; if none does, the candidate with the highest score.
 *
 * @param fewestBytes - the bytes of another encoding that reaches the target
 * @returns `undefined` if it cannot have fewer bytes than these
 */
async function lowestQuality(
  still: Still,
  steps: QualitySteps,
  { tier, target }: Goal,
  fewestBytes: number,
): Promise<Candidate | undefined> {
  const { maxSamples, slope } = steps;
  const range = { from: stepOf(steps, steps.floor[still.contentClass]), to: steps.qualities.length - 1 };
  const lowered = (TIER_QUALITY[tier].targetScore - target) / slope;
  const usual = { start: stepOf(steps, steps.startAt(tier)) - lowered, slope };
  if (await cannotWin(still, steps, fewestBytes)) return undefined;
  let estimate = usual;
  if (steps.draft) {
    const { settingsAt, offsetFor, leastShare } = steps.draft;
    const evaluate = evaluatorOf(still, steps.qualities, settingsAt);
    const draft = await findLowestStep(
      { ...range, ...usual, maxSamples: MAX_DRAFT_SAMPLES, evaluate },
      target,
    );
    if (draft.reached && draft.reached.body.byteLength * leastShare > fewestBytes) return undefined;
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

/** Whether an encoding has more bytes than another one even at its lowest quality. */
async function cannotWin(still: Still, steps: QualitySteps, fewestBytes: number): Promise<boolean> {
  if (fewestBytes === Number.POSITIVE_INFINITY) return false;
  const settings = (steps.draft ?? steps).settingsAt(steps.floor[still.contentClass]);
  const body = await still.encode(settings);
  return body.byteLength * (steps.draft?.leastShare ?? 1) > fewestBytes;
}

/** Returns the highest quality of an encoding within a budget of bytes, but no lower one than reaches the target of the lowest tier. */
async function highestWithinBudget(
  still: Still,
  steps: QualitySteps,
  goal: Goal,
  maxBytes: number,
): Promise<Candidate> {
  const any = Number.POSITIVE_INFINITY;
  const lowestGoal = { tier: LOWEST_TIER, target: TIER_QUALITY[LOWEST_TIER].targetScore };
  const lowest = (await lowestQuality(still, steps, lowestGoal, any)) as Candidate;
  const highest = (await lowestQuality(still, steps, goal, any)) as Candidate;
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
