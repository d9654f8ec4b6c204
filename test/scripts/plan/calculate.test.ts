import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculatePlan } from '../../../scripts/plan/calculate.ts';
import type { PlanInputs } from '../../../scripts/plan/inputs.ts';
import { evaluateFormula, figuresIn, roundingTolerance } from '../../support/plan/figures.ts';
import { anyInputs, MILLION_UNITS } from '../../support/plan/inputs.ts';

const planFor = (inputs: Partial<PlanInputs>) => calculatePlan({ ...MILLION_UNITS, ...inputs });

describe('calculatePlan', () => {
  it('yields the known figures of a million units an hour', () => {
    const plan = planFor({
      wanted: { ...MILLION_UNITS.wanted, formats: ['avif'] },
      variantKb: 61,
    });
    expect(plan.load.imagesPerSecond.value).toBeCloseTo(1389, 0);
    expect(plan.workers.concurrency.value).toBe(487);
    expect(plan.cost.compute.usdPerMillionImages).toBeCloseTo(8, 0);
    expect(plan.cost.storage.usdPerMillionImages).toBeCloseTo(1.4, 1);
    // 130 bytes an image, and 320 for each invocation with 100 images: 133.2 bytes × a million ÷ 10⁹ × $0.50.
    expect(plan.cost.logs.usdPerMillionImages).toBeCloseTo(0.0666, 6);
    // The put of a variant makes $5; the manifest, the mark and the list of a unit are shared by its five images.
    expect(plan.cost.puts.usdPerMillionImages).toBeCloseTo(5 + (5 * 3) / 5, 6);
    expect(plan.purgeEverything.purged.value).toBe(5000);
    expect(plan.purgeEverything.times.value).toBeGreaterThan(1);
  });

  it('gives every figure the formula that its value comes from', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const figures = figuresIn(calculatePlan(inputs));
        expect(figures.length).toBeGreaterThan(80);
        for (const figure of figures) {
          const difference = Math.abs(evaluateFormula(figure.arithmetic) - figure.value);
          if (!(difference <= roundingTolerance(figure))) throw new Error(JSON.stringify(figure));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('doubles the cost when the load doubles, except for the free invalidations and the tiers of bytes', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const one = calculatePlan(inputs).cost;
        const two = calculatePlan({ ...inputs, unitsPerHour: inputs.unitsPerHour * 2 }).cost;
        for (const name of ['making', 'storage', 'requests', 'edge', 'keys', 'fromStore'] as const) {
          expect(two[name].value / 2).toBeCloseTo(one[name].value, 6);
          expect(two[name].usdPerMillionImages).toBeCloseTo(one[name].usdPerMillionImages, 6);
        }
        expect(two.tags.value).toBeGreaterThanOrEqual(one.tags.value * 2);
        expect(two.egress.value).toBeLessThanOrEqual(one.egress.value * 2 + 1e-9);
      }),
    );
  });

  it('totals the cost to the sum of its lines', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const { making, viewing, purging, total, ...lines } = calculatePlan(inputs).cost;
        const sum = Object.values(lines).reduce((subtotal, { value }) => subtotal + value, 0);
        expect(total.value).toBeCloseTo(sum, 6);
        expect(making.value + lines.storage.value + viewing.value + purging.value).toBeCloseTo(sum, 6);
      }),
    );
  });

  it('needs more workers for slower images, and fewer larger workers at the same price', () => {
    fc.assert(
      fc.property(anyInputs, (any) => {
        const inputs = { ...any, fetchMs: 0, containers: undefined };
        const plan = calculatePlan(inputs);
        const slower = calculatePlan({ ...inputs, msPerImage: inputs.msPerImage * 2 });
        const larger = calculatePlan({ ...inputs, memoryMb: inputs.memoryMb * 2 });
        const needed = ({ workers: { busyVcpus, vcpus } }: typeof plan) => busyVcpus.value / vcpus.value;
        expect(needed(slower)).toBeCloseTo(needed(plan) * 2, 6);
        expect(needed(larger)).toBeCloseTo(needed(plan) / 2, 6);
        expect(plan.workers.concurrency.value).toBe(Math.ceil(Number(needed(plan).toPrecision(12))));
        expect(larger.cost.compute.value).toBeCloseTo(plan.cost.compute.value, 6);
      }),
    );
  });

  it('has capacity to drain the backlog unless one stack is not enough', () => {
    fc.assert(
      fc.property(anyInputs, (inputs) => {
        const { time, workers, load, beyondOneStack } = calculatePlan({
          ...inputs,
          maxConcurrency: undefined,
          containers: undefined,
          executionsLimit: 1000,
        });
        expect(workers.maxConcurrency.value).toBeLessThanOrEqual(1000);
        if (beyondOneStack !== undefined) return;
        expect(workers.capacityPerSecond.value).toBeGreaterThan(load.imagesPerSecond.value);
        expect(time.drain?.value).toBeGreaterThanOrEqual(time.drainAlone.value);
      }),
    );
  });

  it('never drains the backlog with fewer workers than the load needs', () => {
    expect(planFor({ maxConcurrency: 486 }).time.drain).toBeUndefined();
    expect(planFor({ maxConcurrency: 487 }).time.drain?.value).toBeGreaterThan(1e6);
  });

  it('pays for no invalidation within the free thousand a month', () => {
    expect(planFor({ unitsPerHour: 100, purgedShare: 0.01 }).cost.tags.value).toBe(0);
    expect(planFor({ unitsPerHour: 1000, purgedShare: 0.01 }).cost.tags.usdPerMonth).toBeCloseTo(
      (1000 * 0.01 * 730 - 1000) * 0.005,
      6,
    );
  });

  it('finds the number of views from which on an effort pays', () => {
    const savingsAt = (viewsPerImage: number) =>
      planFor({ viewsPerImage, usdPerGbOut: 0.085 }).effort.efforts.find(({ name }) => name === 'avif 3')
        ?.against;
    const even = savingsAt(1)?.evenViews.value ?? 0;
    expect(savingsAt(even)?.leftUsd.value).toBeCloseTo(0, 6);
    expect(savingsAt(even * 0.9)?.leftUsd.value).toBeLessThan(0);
    expect(savingsAt(even * 1.1)?.leftUsd.value).toBeGreaterThan(0);
    const withContractors = savingsAt(1)?.evenViewsWithContractors.value ?? 0;
    expect(withContractors).toBeLessThan(even);
    expect(savingsAt(withContractors)?.leftWithContractorsUsd.value).toBeCloseTo(0, 6);
  });
});

describe('quotas of a plan', () => {
  const insufficient = (inputs: Partial<PlanInputs>) =>
    planFor(inputs).quotas.filter(({ isEnough }) => !isEnough);

  it('are all sufficient for a small load', () => {
    expect(insufficient({ unitsPerHour: 100_000 })).toEqual([]);
  });

  it('name what to do where a large load exceeds them', () => {
    expect(insufficient({ msPerImage: 1000 }).map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual([
      'Lambda: concurrent executions (L-B99A9384): raise it to 1,400 or more',
      'Lambda: concurrency of an event source: beyond one stack: "workerMemoryMb": 3538 (--memory), or 2 stacks, each with its share of the units and its own concurrent executions',
      expect.stringMatching(/^S3: reads a second: S3 makes 2 partitions/),
    ]);
  });

  it('are exceeded by the invalidations when every unit is purged', () => {
    expect(insufficient({ purgedShare: 1, viewsPerImage: 0 }).map(({ name }) => name)).toContain(
      'CloudFront: tags being invalidated',
    );
  });
});

describe('advice beyond one stack', () => {
  const adviceFor = (msPerImage: number, memoryMb: number) =>
    planFor({ msPerImage, memoryMb }).beyondOneStack;
  const larger3538 = /^beyond one stack: "workerMemoryMb": 3538 \(--memory\), or 2 stacks/;

  it('is not given while one stack is enough', () => {
    expect(adviceFor(719, 1769)).toBeUndefined();
  });

  it.each([
    ['twice the memory', 720, 1769, larger3538],
    ['a vCPU more', 1440, 3538, /"workerMemoryMb": 5307/],
    ["Lambda's maximum memory", 5000, 8845, /"workerMemoryMb": 10240/],
    [
      'only more stacks, as workers cannot have more memory,',
      5000,
      10_240,
      /^beyond one stack: 2 stacks, each/,
    ],
  ])('suggests %s for %i ms an image with %i MB', (_advice, msPerImage, memoryMb, advice) => {
    expect(adviceFor(msPerImage, memoryMb)).toMatch(advice);
  });
});
