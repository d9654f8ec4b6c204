import { featuresOf, USUAL_SCORE } from '../../src/encode/predict-quality.ts';
import type { QualityModel } from '../../src/encode/quality-model.ts';
import { median } from '../bench/harness/measurements.ts';
import { type Measured, TARGETS, type Trial } from './measure.ts';
import { type Equation, fitWeights, predicted } from './regression.ts';

/** A draft, and where the final encoder reaches a target. */
interface Case {
  picture: string;
  /** Of the position, from that of the draft. */
  equation: Equation;
  /** Points of score from position to position there. */
  slope: number;
  /** The logarithm of the ratio of bytes. */
  growth: number;
}

/** Drafts outside of these scores are not fitted: best makes another one. */
const [LOWEST_SCORE, HIGHEST_SCORE] = [30, 90];
const FOLDS = 10;
/** Digits of the coefficients that are printed: an error of a hundredth of a position. */
const DIGITS = 3;

/** Fits a model, and tells how far off the score is for pictures that it was not fitted on. */
export function fitModel(measured: readonly Measured[]): { fitted: QualityModel; errors: string } {
  const cases = measured.flatMap(casesOf);
  const weights = fitWeights(cases.map(({ equation }) => equation));
  const slopes = cases.map(({ slope }) => slope);
  const [at, perPoint] = usualDrafts(measured);
  const [start, perPosition] = fitWeights(
    cases.map(({ equation, growth }) => ({ ...equation, features: [1, equation.value], value: growth })),
  ) as [number, number];
  return {
    fitted: {
      position: weights.map(round),
      positionsPerPoint: round(1 / median(slopes)),
      draft: { at: round(at), perPoint: round(perPoint) },
      bytes: { start: round(start), perPosition: round(perPosition) },
    },
    errors: crossValidate(cases),
  };
}

/** Returns the position at which drafts usually have a score of 70, and how far a point is from there. */
function usualDrafts(measured: readonly Measured[]): [at: number, perPoint: number] {
  const equations = measured.flatMap(({ drafts }) =>
    TARGETS.flatMap((target) => {
      const position = crossingOf(drafts, target)?.position;
      if (position === undefined) return [];
      return { features: [1, target - USUAL_SCORE], value: position, importance: 1 };
    }),
  );
  return fitWeights(equations) as [number, number];
}

function isUsable({ score }: Trial): boolean {
  return score >= LOWEST_SCORE && score <= HIGHEST_SCORE;
}

function casesOf({ picture, drafts, finals, ...still }: Measured): Case[] {
  return TARGETS.flatMap((target) => {
    const crossing = crossingOf(finals, target);
    if (!crossing) return [];
    return drafts.filter(isUsable).map((draft) => {
      const distance = Math.abs(target - draft.score) / 10;
      // Drafts that are near the target are to be predicted best.
      const importance = 1 / (0.3 + distance);
      const features = featuresOf(draft, still, target);
      const equation = { features, value: crossing.position - draft.position, importance };
      return { picture, equation, slope: crossing.slope, growth: Math.log(crossing.bytes / draft.bytes) };
    });
  });
}

/** Returns where the score reaches a target, between the two encodes around it or near one. */
function crossingOf(finals: readonly Trial[], target: number) {
  const rising = finals.toSorted((one, other) => one.position - other.position);
  const above = rising.findIndex(({ score }, i) => i > 0 && score >= target);
  const [low, high] = [rising[Math.max(1, above) - 1], rising[Math.max(1, above)]];
  if (!low || !high || high.score - low.score < 0.5 || high.score - low.score > 14) return undefined;
  const share = (target - low.score) / (high.score - low.score);
  const isNear = [low, high].some(({ score }) => Math.abs(score - target) < 1.3);
  if ((share < 0 || share > 1) && !isNear) return undefined;
  return {
    position: low.position + share * (high.position - low.position),
    slope: (high.score - low.score) / (high.position - low.position),
    bytes: low.bytes * (high.bytes / low.bytes) ** share,
  };
}

/** All cases of a picture are in one fold. */
function crossValidate(cases: readonly Case[]): string {
  const pictures = [...new Set(cases.map(({ picture }) => picture))];
  const errors: number[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const isHeldOut = ({ picture }: Case) => pictures.indexOf(picture) % FOLDS === fold;
    const weights = fitWeights(cases.filter((one) => !isHeldOut(one)).map(({ equation }) => equation));
    for (const { equation, slope } of cases.filter(isHeldOut))
      errors.push(Math.abs((equation.value - predicted(weights, equation.features)) * slope));
  }
  const rising = errors.toSorted((one, other) => one - other);
  const at = (share: number) => (rising[Math.floor(share * rising.length)] ?? Number.NaN).toFixed(2);
  return `${pictures.length} pictures, off by ${at(0.5)} points of score at the median, ${at(0.8)} at the 80th percentile`;
}

function round(value: number): number {
  return Number(value.toFixed(DIGITS));
}
