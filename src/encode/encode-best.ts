import type { Format } from '../protocol/request.ts';
import {
  bestWithinBudget,
  higherScore,
  losslessEncodings,
  lossyEncodings,
  paletteEncoding,
  reaches,
  smallestThatReaches,
} from './candidates.ts';
import { encodeNear, type Prediction, predictFromDraft, stepBelow, stepOf } from './encode-near-target.ts';
import type { QualitySteps } from './quality-steps.ts';
import type { Candidate, Still } from './still.ts';
import { LOWEST_TIER, TIER_QUALITY } from './tier-quality.ts';

export interface BestRequest {
  format: Format;
  /** The score to reach: the target of the tier, or less for a source that was compressed hard; see `targetFor`. */
  target: number;
  /** A budget in bytes; see `EncodeRequest`. */
  maxBytes?: number | undefined;
}

/** Encodes that look for the highest quality within a budget, and the share of the budget that is near enough to it. */
const MAX_BUDGET_ENCODES = 4;
const NEAR_BUDGET = 0.95;
/** A less lossy encoding of the same kind is larger, so the others are not tried once one has this many times the bytes of the smallest. */
const HOPELESS = 2;

/**
 * Finds the smallest encoding of a still that reaches the target. A draft of each lossy encoding that can win predicts which one does and at
 * which quality: it is encoded, and once more where the score is off. Each lossless one is tried. If none reaches the target, it returns the
 * one with the highest score.
 *
 * @throws TypeError outside of `Still.withReference`
 */
export async function encodeBest(
  still: Still,
  { format, target, maxBytes }: BestRequest,
): Promise<Candidate> {
  const candidates: Candidate[] = [];
  const fewestBytes = () =>
    Math.min(...candidates.filter((one) => reaches(one, target)).map(({ body }) => body.byteLength));
  const palette = await paletteEncoding(format, still);
  if (palette) candidates.push(await still.encodeAndScore(palette));
  const { likely, rest } = lossyEncodings(format, still);
  candidates.push(...(await encodeLikeliest(still, likely, target, fewestBytes())));
  if (fewestBytes() === Number.POSITIVE_INFINITY)
    candidates.push(...(await encodeLikeliest(still, rest, target, fewestBytes())));
  for (const settings of losslessEncodings(format, still)) {
    const candidate = await still.encodeAndScore(settings);
    candidates.push(candidate);
    if (candidate.body.byteLength > HOPELESS * fewestBytes()) break;
  }
  const best = smallestThatReaches(candidates, target);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const cheaper: Candidate[] = [];
  for (const steps of [...likely, ...rest])
    cheaper.push(await highestWithinBudget(still, steps, target, maxBytes));
  return bestWithinBudget([...candidates, ...cheaper], maxBytes);
}

/**
 * Encodes in the lossy encoding of which the fewest bytes are expected, and in the next ones as long as none reaches the target.
 *
 * @param maxBytes - what a smaller candidate has already; infinite if there is none
 */
async function encodeLikeliest(
  still: Still,
  encodings: readonly QualitySteps[],
  target: number,
  maxBytes: number,
): Promise<Candidate[]> {
  const predictions: Prediction[] = [];
  for (const steps of encodings) predictions.push(await predictFromDraft(still, steps, target));
  const candidates: Candidate[] = [];
  for (const likeliest of predictions.toSorted((one, other) => one.bytes - other.bytes)) {
    if (likeliest.bytes >= maxBytes) break;
    const candidate = await encodeNear(still, likeliest);
    candidates.push(candidate);
    // The others are expected to be larger.
    if (reaches(candidate, target)) break;
  }
  return candidates;
}

/** Returns the highest quality of an encoding within a budget of bytes, but no lower one than reaches the target of the lowest tier. */
async function highestWithinBudget(
  still: Still,
  steps: QualitySteps,
  target: number,
  maxBytes: number,
): Promise<Candidate> {
  const lowestTarget = TIER_QUALITY[LOWEST_TIER].targetScore;
  let within = await encodeNear(still, await predictFromDraft(still, steps, lowestTarget));
  let beyond = await encodeNear(still, await predictFromDraft(still, steps, target));
  if (within.body.byteLength > maxBytes || beyond.body.byteLength <= maxBytes) return within;
  let best = within;
  for (let encodes = 0; encodes < MAX_BUDGET_ENCODES; encodes++) {
    // The logarithm of bytes rises evenly with the position.
    const [from, to] = [stepOf(steps, qualityOf(within)), stepOf(steps, qualityOf(beyond))];
    const share =
      Math.log(maxBytes / within.body.byteLength) / Math.log(beyond.body.byteLength / within.body.byteLength);
    const [low, high] = [steps.positions[from] as number, steps.positions[to] as number];
    const step = Math.min(to - 1, Math.max(from + 1, stepBelow(steps, low + share * (high - low))));
    if (step <= from || step >= to) break;
    const candidate = await still.encodeAndScore(steps.settingsAt(steps.qualities[step] as number));
    if (candidate.body.byteLength > maxBytes) beyond = candidate;
    else within = candidate;
    best = higherScore(best, within);
    if (within.body.byteLength > NEAR_BUDGET * maxBytes) break;
  }
  return best;
}

function qualityOf({ settings }: Candidate): number {
  return 'quality' in settings ? settings.quality : Number.NaN;
}
