import { reaches, smallestThatReaches } from './candidates.ts';
import type { EncoderSettings } from './encodings.ts';
import { type Draft, predictBytes, predictPosition, USUAL_SCORE, usualPosition } from './predict-quality.ts';
import type { QualitySteps } from './quality-steps.ts';
import type { Still } from './still.ts';

// Finds where one lossy encoding of a still reaches a target: a draft predicts it, and the score of an encode there corrects it.

/** From a draft that is further from the target than this, in points of score, another one is made nearer to it. */
const FAR = { photo: 8, letters: 15 };
/** What exceeds the target by more points is encoded again: they are a tenth of the bytes, and more in high. */
const WORTH_CORRECTING = 2.5;
/** A correction aims higher by this share of the error that it corrects. */
const CAUTION = 0.1;

/** Where a lossy encoding is expected to reach a target, and with how many bytes. */
export interface Prediction {
  steps: QualitySteps;
  target: number;
  /** Between those of the lowest quality and the highest. */
  position: number;
  bytes: number;
  /** Positions for a point of score there. */
  perPoint: number;
}

/**
 * Predicts from a draft, or from a second one if the first is far from the target. Photographs are drafted where the score is usually that of
 * the target. Letters are drafted once for all targets: for them, a nearer draft predicts no better.
 */
export async function predictFromDraft(
  still: Still,
  steps: QualitySteps,
  target: number,
): Promise<Prediction> {
  const { model, aim } = steps;
  const isPhoto = still.contentClass === 'photo';
  const expected = (draft: Draft, score: number) =>
    clampToRange(still, steps, predictPosition(model, draft, still, score));
  const draftNear = (position: number) => draftAt(still, steps, stepBelow(steps, position));
  let draft = await draftNear(
    clampToRange(still, steps, usualPosition(model, isPhoto ? target : USUAL_SCORE)),
  );
  const isFar = Math.abs(target - draft.score) > (isPhoto ? FAR.photo : FAR.letters);
  // Where the lowest quality is more than enough, a nearer draft would tell nothing new.
  if (isFar && expected(draft, target) > lowestPosition(still, steps))
    draft = await draftNear(expected(draft, target));
  const position = expected(draft, target + aim);
  const rise =
    predictPosition(model, draft, still, target + 1) - predictPosition(model, draft, still, target - 1);
  const usual = model.positionsPerPoint;
  const perPoint = Math.min(2 * usual, Math.max(usual / 2, rise / 2));
  return { steps, target, position, perPoint, bytes: predictBytes(model, draft, position) };
}

async function draftAt(still: Still, steps: QualitySteps, step: number): Promise<Draft> {
  const { body, score } = await still.encodeAndScore(steps.draftAt(steps.qualities[step] as number));
  return { position: steps.positions[step] as number, score, bytes: body.byteLength };
}

/** Encodes where an encoding is expected to reach the target, and corrects that once. */
export async function encodeNear(still: Still, { steps, target, position, perPoint }: Prediction) {
  const first = await still.encodeAndScore(settingsNear(steps, position));
  const surplus = first.score - target;
  if (reaches(first, target) && surplus <= WORTH_CORRECTING) return first;
  const change = (steps.aim - surplus + CAUTION * Math.abs(surplus)) * perPoint;
  const corrected = clampToRange(still, steps, position + change);
  if (corrected === position) return first;
  const second = await still.encodeAndScore(settingsNear(steps, corrected));
  return smallestThatReaches([first, second], target);
}

function clampToRange(still: Still, steps: QualitySteps, position: number): number {
  return Math.min(steps.positions.at(-1) as number, Math.max(lowestPosition(still, steps), position));
}

/** Returns the position of the lowest quality for the content class of a still. */
function lowestPosition(still: Still, steps: QualitySteps): number {
  return steps.positions[stepOf(steps, steps.floor[still.contentClass])] as number;
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

/** Returns the lowest step of at least a quality. */
export function stepOf({ qualities }: QualitySteps, quality: number): number {
  return qualities.findIndex((one) => one >= quality);
}

/** Returns the highest step that is not above a position, or the lowest. */
export function stepBelow({ positions }: QualitySteps, position: number): number {
  return Math.max(
    0,
    positions.findLastIndex((one) => one <= position),
  );
}
