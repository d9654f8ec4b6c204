import type { QualityModel } from './quality-model.ts';

/** What is known of a draft. */
export interface Draft {
  /** Of its quality, on the scale of `QualitySteps`. */
  position: number;
  score: number;
  bytes: number;
}

/** What a draft's features depend on besides the draft. */
export interface DraftedStill {
  width: number;
  height: number;
  /** See `shareOfSharpColours`. */
  sharpColours: number;
}

/** Points of score per unit of a feature. */
const POINTS = 10;
/** The score around which features are centred, and to which the usual draft of a model belongs. */
export const USUAL_SCORE = 70;
/** Bounds of the pictures that models are fitted on: polynomials are not to be trusted far beyond. */
const LOWEST_SCORE = 30;
const HIGHEST_SCORE = 90;
const MAX_SHARP_COLOURS = 0.05;

/**
 * Returns the features of a draft for a target, of which the model's coefficients are the weights: the distance of the draft from the
 * target, its score, its bits a pixel, the size of the picture and its sharp colours, and products of these.
 */
export function featuresOf(draft: Omit<Draft, 'position'>, still: DraftedStill, target: number): number[] {
  const pixels = still.width * still.height;
  const score = Math.min(HIGHEST_SCORE, Math.max(LOWEST_SCORE, draft.score));
  const above = (target - score) / POINTS;
  const level = (score - USUAL_SCORE) / POINTS;
  const goal = (target - USUAL_SCORE) / POINTS;
  const bits = Math.log((8 * draft.bytes) / pixels);
  const size = Math.log(pixels) - 12;
  const colours = Math.min(still.sharpColours, MAX_SHARP_COLOURS) / MAX_SHARP_COLOURS;
  return [
    1,
    above,
    above ** 2,
    above * level,
    goal,
    goal ** 2,
    bits,
    above * bits,
    bits ** 2,
    level * bits,
    size,
    above * size,
    colours,
    above * colours,
    above * level ** 2,
    above * level * bits,
  ];
}

/** Returns where a draft usually has a score. */
export function usualPosition({ draft }: QualityModel, score: number): number {
  return draft.at + (score - USUAL_SCORE) * draft.perPoint;
}

/** Predicts at which position an encoding reaches a target, from a draft of it. There may be no quality at that position. */
export function predictPosition(
  model: QualityModel,
  draft: Draft,
  still: DraftedStill,
  target: number,
): number {
  const features = featuresOf(draft, still, target);
  const change = model.position.reduce((sum, weight, i) => sum + weight * (features[i] as number), 0);
  // From a draft beyond the bounds, the rest of the way has the usual slope.
  const beyond = Math.min(HIGHEST_SCORE, Math.max(LOWEST_SCORE, draft.score)) - draft.score;
  return draft.position + change + beyond * model.positionsPerPoint;
}

/** Predicts how many bytes an encoding has at a position, from a draft of it. */
export function predictBytes({ bytes }: QualityModel, draft: Draft, position: number): number {
  return draft.bytes * Math.exp(bytes.start + bytes.perPosition * (position - draft.position));
}
