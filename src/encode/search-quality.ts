/** What encoding at one step of an encoder's quality came to. */
export interface Attempt {
  /** Its place among the steps, from the worst to the best. */
  step: number;
  /** What is searched for, such as a score. It is taken to rise with the step, and all but evenly. */
  value: number;
}

export interface Search<A extends Attempt> {
  /** The lowest and the highest step that may be taken. */
  from: number;
  to: number;
  /** Where to begin. */
  start: number;
  /** By about how much the value rises from a step to the next. */
  slope: number;
  /** At most so many are made, at least 1: what is known then has to do. */
  attempts: number;
  attempt(step: number): Promise<A>;
}

export interface Found<A extends Attempt> {
  /** The lowest step made that reaches the goal; `undefined` if none did. */
  reached: A | undefined;
  /** All that was made, in that order. */
  tried: readonly A[];
  /** Where between the steps the goal would be met, as far as is known; and the slope there. */
  crossing: number;
  slope: number;
}

/**
 * Finds the lowest step whose value reaches a goal, by secants. It ends when the step below is known to miss, or is expected
 * to: a step that reaches the goal by less than the slope is the one.
 */
export async function lowestStep<A extends Attempt>(search: Search<A>, goal: number): Promise<Found<A>> {
  const tried: A[] = [];
  let missed: A | undefined;
  let reached: A | undefined;
  let crossing = search.start;
  let slope = search.slope;
  let next = clamp(Math.ceil(crossing), search.from, search.to);
  while (tried.length < search.attempts) {
    const made = await search.attempt(next);
    tried.push(made);
    if (made.value >= goal) reached = made;
    else missed = made;
    slope = slopeBetween(missed && reached ? [missed, reached] : tried.slice(-2), search.slope);
    crossing = made.step + (goal - made.value) / slope;
    const above = missed ? missed.step + 1 : search.from;
    const below = reached ? reached.step - 1 : search.to;
    if (above > below) break;
    next = clamp(Math.ceil(crossing), above, below);
    if (made === reached && Math.ceil(crossing) >= made.step) break;
  }
  return { reached, tried, crossing, slope };
}

/** Now and then a better quality gives a lower value, and at either end nothing changes: then the usual slope bounds it. */
function slopeBetween(attempts: readonly Attempt[], usual: number): number {
  const [one, other] = attempts;
  if (!one || !other) return usual;
  return clamp((other.value - one.value) / (other.step - one.step), usual / 3, usual * 3);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
