import type { Candidate } from './still.ts';
import { LOWEST_TIER, TIER_QUALITY } from './tier-quality.ts';

/** Returns the candidate with the highest score if none reaches the target. */
export function smallestThatReaches(candidates: readonly Candidate[], target: number): Candidate {
  const reaching = candidates.filter(({ score }) => score >= target);
  if (reaching.length === 0) return candidates.reduce(higherScore);
  return reaching.reduce((least, one) => (one.body.byteLength < least.body.byteLength ? one : least));
}

/** Returns the candidate with the highest score within the budget; if there is none, the smallest that reaches the target of the lowest tier. */
export function bestWithinBudget(candidates: readonly Candidate[], maxBytes: number): Candidate {
  const within = candidates.filter(
    ({ body, score }) => body.byteLength <= maxBytes && score >= TIER_QUALITY[LOWEST_TIER].targetScore,
  );
  return within.length > 0
    ? within.reduce(higherScore)
    : smallestThatReaches(candidates, TIER_QUALITY[LOWEST_TIER].targetScore);
}

export function higherScore<C extends Candidate>(one: C, other: C): C {
  return other.score > one.score ? other : one;
}
