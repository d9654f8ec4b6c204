import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLowestStep, type Sample, type StepSearch } from '../../src/encode/search-quality.ts';

const STEPS = 60;

/** Values that rise with the step by a slope that varies by 30%. */
const rising = fc
  .tuple(
    fc.double({ min: 0.6, max: 2, noNaN: true }),
    fc.array(fc.double({ min: 0.7, max: 1.3, noNaN: true }), { minLength: STEPS, maxLength: STEPS }),
  )
  .map(([slope, shares]) => {
    let value = 20;
    return shares.map((share) => (value += slope * share));
  });

function searchIn(values: readonly number[], wanted: Partial<StepSearch<Sample>> = {}) {
  const evaluated: number[] = [];
  const search: StepSearch<Sample> = {
    from: 0,
    to: values.length - 1,
    start: 20,
    slope: 1,
    maxSamples: 20,
    evaluate: async (step) => {
      evaluated.push(step);
      return { step, value: values[step] as number };
    },
    ...wanted,
  };
  return { search, evaluated };
}

describe('the search for the lowest step', () => {
  it('finds the lowest step that reaches the goal, or one of the next two, with at most 12 samples', async () => {
    await fc.assert(
      fc.asyncProperty(
        rising,
        fc.integer({ min: 0, max: STEPS - 1 }),
        fc.nat(STEPS - 1),
        async (values, at, start) => {
          const { search, evaluated } = searchIn(values, { start });
          const { reached } = await findLowestStep(search, values[at] as number);
          expect(reached?.step).toBeGreaterThanOrEqual(at);
          expect(reached?.step).toBeLessThanOrEqual(at + 2);
          expect(evaluated.length).toBeLessThanOrEqual(12);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never evaluates a step twice, a step outside the range, or more than maxSamples', async () => {
    const wild = fc.array(fc.double({ min: -50, max: 100, noNaN: true }), {
      minLength: STEPS,
      maxLength: STEPS,
    });
    await fc.assert(
      fc.asyncProperty(
        wild,
        fc.nat(100),
        fc.integer({ min: 1, max: 6 }),
        async (values, goal, maxSamples) => {
          const { search, evaluated } = searchIn(values, { from: 10, to: 40, maxSamples });
          const { reached, samples } = await findLowestStep(search, goal);
          expect(new Set(evaluated).size).toBe(evaluated.length);
          expect(evaluated.length).toBeLessThanOrEqual(maxSamples);
          expect(evaluated.every((step) => step >= 10 && step <= 40)).toBe(true);
          const reaching = samples.filter(({ value }) => value >= goal).map(({ step }) => step);
          expect(reached?.step).toBe(reaching.length > 0 ? Math.min(...reaching) : undefined);
        },
      ),
    );
  });

  it('ends at the highest step if none reaches the goal, and at the lowest if all do', async () => {
    const values = Array.from({ length: STEPS }, (_, step) => step);
    const high = searchIn(values);
    expect((await findLowestStep(high.search, 1000)).reached).toBeUndefined();
    expect(high.evaluated.at(-1)).toBe(STEPS - 1);
    const low = searchIn(values);
    expect((await findLowestStep(low.search, -1000)).reached?.step).toBe(0);
  });

  it('estimates the position between the steps at which the goal is met', async () => {
    const values = Array.from({ length: STEPS }, (_, step) => 2 * step);
    const { crossing, slope } = await findLowestStep(searchIn(values).search, 51);
    expect(crossing).toBeCloseTo(25.5);
    expect(slope).toBeCloseTo(2);
  });
});
