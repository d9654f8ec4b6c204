/** One evaluated step of a search. */
export interface Sample {
  /** The index of an encoder quality, from the lowest to the highest. */
  step: number;
  /** The searched value, such as a score. It is expected to rise with the step, almost linearly. */
  value: number;
}

export interface StepSearch<S extends Sample> {
  /** The lowest and the highest step that may be evaluated. */
  from: number;
  to: number;
  /** Where the search starts; it may lie between steps or outside the range. */
  start: number;
  /** The expected rise of the value from one step to the next. */
  slope: number;
  /** The maximum number of evaluations, at least 1. */
  maxSamples: number;
  /** A sample that is expected to be so few steps away from the goal ends the search. Default: the search goes on to the lowest step. */
  tolerance?: number;
  evaluate(step: number): Promise<S>;
}

export interface SearchResult<S extends Sample> {
  /** The sample of the lowest evaluated step that reaches the goal; `undefined` if none does. */
  reached: S | undefined;
  /** All samples, in the order of evaluation. */
  samples: readonly S[];
  /** The estimated position, between steps, at which the value meets the goal. */
  crossing: number;
  /** The estimated slope there. */
  slope: number;
}

/**
 * Finds the lowest step whose value reaches a goal, by the secant method. It ends once the step below is known to miss the goal or expected
 * to: that is, when a step exceeds the goal by less than the slope.
 */
export async function findLowestStep<S extends Sample>(
  search: StepSearch<S>,
  goal: number,
): Promise<SearchResult<S>> {
  const samples: S[] = [];
  let missed: S | undefined;
  let reached: S | undefined;
  let crossing = search.start;
  let slope = search.slope;
  let next = clamp(Math.ceil(crossing), search.from, search.to);
  while (samples.length < search.maxSamples) {
    const sample = await search.evaluate(next);
    samples.push(sample);
    if (sample.value >= goal) reached = sample;
    else missed = sample;
    slope = slopeBetween(missed && reached ? [missed, reached] : samples.slice(-2), search.slope);
    crossing = sample.step + (goal - sample.value) / slope;
    const lowest = missed ? missed.step + 1 : search.from;
    const highest = reached ? reached.step - 1 : search.to;
    if (lowest > highest || Math.abs(crossing - sample.step) <= (search.tolerance ?? -1)) break;
    next = clamp(Math.ceil(crossing), lowest, highest);
    if (sample === reached && Math.ceil(crossing) >= sample.step) break;
  }
  return { reached, samples, crossing, slope };
}

/** Bounded by the expected slope: now and then a higher quality scores lower, and at either end of the range nothing changes. */
function slopeBetween(samples: readonly Sample[], expected: number): number {
  const [one, other] = samples;
  if (!one || !other) return expected;
  return clamp((other.value - one.value) / (other.step - one.step), expected / 3, expected * 3);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
