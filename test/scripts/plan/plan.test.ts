import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Given } from '../../../scripts/plan/given.ts';
import { plan } from '../../../scripts/plan/plan.ts';
import { anyGiven, MILLION_UNITS } from '../../support/plan/given.ts';
import { figuresIn, tolerance, workOut } from '../../support/plan/shown.ts';

const planFor = (given: Partial<Given>) => plan({ ...MILLION_UNITS, ...given });

describe('a plan', () => {
  it('says of a million units an hour what is known of them', () => {
    const one = planFor({
      wanted: { ...MILLION_UNITS.wanted, formats: ['avif'] },
      variantKb: 61,
    });
    expect(one.load.imagesPerSecond.value).toBeCloseTo(1389, 0);
    expect(one.workers.concurrency.value).toBe(487);
    expect(one.cost.compute.usdPerMillionImages).toBeCloseTo(8, 0);
    expect(one.cost.storage.usdPerMillionImages).toBeCloseTo(1.4, 1);
    // A put a variant is $5; the manifest and the list of a unit are those of five images.
    expect(one.cost.puts.usdPerMillionImages).toBeCloseTo(5 + (5 * 2) / 5, 6);
    expect(one.purgeEverything.purged.value).toBe(5000);
    expect(one.purgeEverything.times.value).toBeGreaterThan(1);
  });

  it('shows of every figure the arithmetic that it comes from', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const figures = figuresIn(plan(given));
        expect(figures.length).toBeGreaterThan(80);
        for (const figure of figures) {
          const off = Math.abs(workOut(figure.arithmetic) - figure.value);
          if (!(off <= tolerance(figure))) throw new Error(JSON.stringify(figure));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('costs twice as much for twice the load, but for the invalidations that are free', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const [one, two] = [plan(given).cost, plan({ ...given, unitsPerHour: given.unitsPerHour * 2 }).cost];
        for (const name of ['making', 'storage', 'viewing'] as const) {
          expect(two[name].value / 2).toBeCloseTo(one[name].value, 6);
          expect(two[name].usdPerMillionImages).toBeCloseTo(one[name].usdPerMillionImages, 6);
        }
        expect(two.tags.value).toBeGreaterThanOrEqual(one.tags.value * 2);
      }),
    );
  });

  it('comes to the sum of its parts', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const { making, viewing, purging, total, ...cost } = plan(given).cost;
        const parts = Object.values(cost).reduce((sum, { value }) => sum + value, 0);
        expect(total.value).toBeCloseTo(parts, 6);
        expect(making.value + cost.storage.value + viewing.value + purging.value).toBeCloseTo(parts, 6);
      }),
    );
  });

  it('needs more workers for slower images, and fewer of larger ones at the same price', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const one = plan(given);
        const slower = plan({ ...given, msPerImage: given.msPerImage * 2 });
        const larger = plan({ ...given, memoryMb: given.memoryMb * 2 });
        const needed = ({ workers: { busyVcpus, vcpus } }: typeof one) => busyVcpus.value / vcpus.value;
        expect(needed(slower)).toBeCloseTo(needed(one) * 2, 6);
        expect(needed(larger)).toBeCloseTo(needed(one) / 2, 6);
        expect(one.workers.concurrency.value).toBe(Math.ceil(Number(needed(one).toPrecision(12))));
        expect(larger.cost.compute.value).toBeCloseTo(one.cost.compute.value, 6);
      }),
    );
  });

  it('has workers to spare, so that what waits is done one day, unless it is told how many, or one stack has no more', () => {
    fc.assert(
      fc.property(anyGiven, (given) => {
        const { time, workers, load, beyondOneStack } = plan({ ...given, maxConcurrency: undefined });
        expect(workers.maxConcurrency.value).toBeLessThanOrEqual(1000);
        if (beyondOneStack !== undefined) return;
        expect(workers.capacityPerSecond.value).toBeGreaterThan(load.imagesPerSecond.value);
        expect(time.drain?.value).toBeGreaterThanOrEqual(time.drainAlone.value);
      }),
    );
    const few = planFor({ maxConcurrency: 486 });
    expect(few.time.drain).toBeUndefined();
    expect(planFor({ maxConcurrency: 487 }).time.drain?.value).toBeGreaterThan(1e6);
  });

  it('names the quotas that are in the way, and what to do', () => {
    const wanting = (given: Partial<Given>) => planFor(given).quotas.filter(({ isEnough }) => !isEnough);
    expect(wanting({ unitsPerHour: 100_000 })).toEqual([]);
    expect(
      wanting({ msPerImage: 1000 }).map(({ name, cachedFailure }) => `${name}: ${cachedFailure}`),
    ).toEqual([
      'Lambda: concurrent executions (L-B99A9384): raise it to 1,400 or more',
      'Lambda: concurrency of an event source: beyond one stack: "workerMemoryMb": 3538 (--memory), or 2 stacks, each with its share of the units and executions of its own',
      expect.stringMatching(/^S3: reads a second: S3 makes 2 partitions/),
    ]);
    expect(wanting({ purgedShare: 1, viewsPerImage: 0 }).map(({ name }) => name)).toContain(
      'CloudFront: tags being invalidated',
    );
  });

  it('says what to do with more than one stack can bear', () => {
    const beyond = (msPerImage: number, memoryMb: number) => planFor({ msPerImage, memoryMb }).beyondOneStack;
    expect(beyond(719, 1769)).toBeUndefined();
    expect(beyond(720, 1769)).toMatch(/^beyond one stack: "workerMemoryMb": 3538 \(--memory\), or 2 stacks/);
    expect(beyond(1440, 3538)).toMatch(/"workerMemoryMb": 5307/);
    // No worker has more memory.
    expect(beyond(5000, 8845)).toMatch(/"workerMemoryMb": 10240/);
    expect(beyond(5000, 10_240)).toMatch(/^beyond one stack: 2 stacks, each/);
  });

  it('pays for no invalidation within the thousand a month that are free', () => {
    expect(planFor({ unitsPerHour: 100, purgedShare: 0.01 }).cost.tags.value).toBe(0);
    expect(planFor({ unitsPerHour: 1000, purgedShare: 0.01 }).cost.tags.usdPerMonth).toBeCloseTo(
      (1000 * 0.01 * 730 - 1000) * 0.005,
      6,
    );
  });

  it('says from how many views on an effort pays', () => {
    const at = (viewsPerImage: number) =>
      planFor({ viewsPerImage }).effort.efforts.find(({ name }) => name === 'avif 3')?.against;
    const even = at(1)?.evenViews.value ?? 0;
    expect(at(even)?.leftUsd.value).toBeCloseTo(0, 6);
    expect(at(even * 0.9)?.leftUsd.value).toBeLessThan(0);
    expect(at(even * 1.1)?.leftUsd.value).toBeGreaterThan(0);
    const withContractors = at(1)?.evenViewsWithContractors.value ?? 0;
    expect(withContractors).toBeLessThan(even);
    expect(at(withContractors)?.leftWithContractorsUsd.value).toBeCloseTo(0, 6);
  });
});
