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
import type { EncoderSettings } from './encodings.ts';
import { type Draft, type Prediction, predict, USUAL_SCORE, usualPosition } from './predict-quality.ts';
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

/** From a draft that is further from the target than this, in points of score, another one is made nearer to it. */
const FAR = { photo: 8, letters: 15 };
/** What exceeds the target by more points is encoded again: they are a tenth of the bytes, and more in high. */
const WORTH_CORRECTING = 2.5;
/** A correction aims higher by this share of the error that it corrects. */
const CAUTION = 0.1;
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
  const lossy = lossyEncodings(format, still);
  const predictions: LossyPrediction[] = [];
  for (const steps of lossy) predictions.push(await predictLossy(still, steps, target));
  for (const likely of predictions.toSorted((one, other) => one.bytes - other.bytes)) {
    if (likely.bytes >= fewestBytes()) break;
    const candidate = await encodeNear(still, likely);
    candidates.push(candidate);
    // The others are expected to be larger.
    if (reaches(candidate, target)) break;
  }
  for (const settings of losslessEncodings(format, still)) {
    const candidate = await still.encodeAndScore(settings);
    candidates.push(candidate);
    if (candidate.body.byteLength > HOPELESS * fewestBytes()) break;
  }
  const best = smallestThatReaches(candidates, target);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const cheaper: Candidate[] = [];
  for (const steps of lossy) cheaper.push(await highestWithinBudget(still, steps, target, maxBytes));
  return bestWithinBudget([...candidates, ...cheaper], maxBytes);
}

/** Where a lossy encoding is expected to reach a target. */
interface LossyPrediction extends Prediction {
  steps: QualitySteps;
  target: number;
  /** Positions for a point of score there. */
  perPoint: number;
}

/**
 * Predicts from a draft, or from a second one if the first is far from the target. Photographs are drafted where the score is usually that of
 * the target. Letters are drafted once for all targets: for them, a nearer draft predicts no better.
 */
async function predictLossy(still: Still, steps: QualitySteps, target: number): Promise<LossyPrediction> {
  const { model, aim } = steps;
  const isPhoto = still.contentClass === 'photo';
  const draftNear = (position: number) =>
    draftAt(still, steps, stepBelow(steps, clampToRange(still, steps, position)));
  const first = await draftNear(usualPosition(model, isPhoto ? target : USUAL_SCORE));
  const isFar = Math.abs(target - first.score) > (isPhoto ? FAR.photo : FAR.letters);
  const draft = isFar ? await draftNear(predict(model, first, still, target).position) : first;
  const usual = model.positionsPerPoint;
  const rise =
    predict(model, draft, still, target + 1).position - predict(model, draft, still, target - 1).position;
  const perPoint = Math.min(2 * usual, Math.max(usual / 2, rise / 2));
  return { ...predict(model, draft, still, target + aim), steps, target, perPoint };
}

async function draftAt(still: Still, steps: QualitySteps, step: number): Promise<Draft> {
  const { body, score } = await still.encodeAndScore(steps.draftAt(steps.qualities[step] as number));
  return { position: steps.positions[step] as number, score, bytes: body.byteLength };
}

/** Encodes where an encoding is expected to reach the target, and corrects that once. */
async function encodeNear(still: Still, { steps, target, perPoint, position }: LossyPrediction) {
  const expected = clampToRange(still, steps, position);
  const first = await still.encodeAndScore(settingsNear(steps, expected));
  const surplus = first.score - target;
  if (reaches(first, target) && surplus <= WORTH_CORRECTING) return first;
  const change = (steps.aim - surplus + CAUTION * Math.abs(surplus)) * perPoint;
  const corrected = clampToRange(still, steps, expected + change);
  if (corrected === expected) return first;
  const second = await still.encodeAndScore(settingsNear(steps, corrected));
  return smallestThatReaches([first, second], target);
}

function clampToRange(still: Still, steps: QualitySteps, position: number): number {
  const lowest = steps.positions[stepOf(steps, steps.floor[still.contentClass])] as number;
  return Math.min(steps.positions.at(-1) as number, Math.max(lowest, position));
}

/** Returns the settings of the quality that is nearest to a position, or some between two. */
function settingsNear(steps: QualitySteps, position: number): EncoderSettings {
  const { qualities, positions, settingsAt, between } = steps;
  const below = stepBelow(steps, position);
  const above = Math.min(below + 1, positions.length - 1);
  const [low, high] = [positions[below] as number, positions[above] as number];
  if (position <= low) return settingsAt(qualities[below] as number);
  if (between) return between(qualities[above] as number, high - position);
  return settingsAt(qualities[position - low < high - position ? below : above] as number);
}

/** Returns the highest quality of an encoding within a budget of bytes, but no lower one than reaches the target of the lowest tier. */
async function highestWithinBudget(
  still: Still,
  steps: QualitySteps,
  target: number,
  maxBytes: number,
): Promise<Candidate> {
  const lowestTarget = TIER_QUALITY[LOWEST_TIER].targetScore;
  let within = await encodeNear(still, await predictLossy(still, steps, lowestTarget));
  let beyond = await encodeNear(still, await predictLossy(still, steps, target));
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

/** Returns the lowest step of at least a quality. */
function stepOf({ qualities }: QualitySteps, quality: number): number {
  return qualities.findIndex((one) => one >= quality);
}

/** Returns the highest step that is not above a position, or the lowest. */
function stepBelow({ positions }: QualitySteps, position: number): number {
  return Math.max(
    0,
    positions.findLastIndex((one) => one <= position),
  );
}

function qualityOf({ settings }: Candidate): number {
  return 'quality' in settings ? settings.quality : Number.NaN;
}
