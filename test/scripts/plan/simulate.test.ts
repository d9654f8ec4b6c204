import { describe, expect, it } from 'vitest';
import { calculatePlan } from '../../../scripts/plan/calculate.ts';
import type { PlanInputs } from '../../../scripts/plan/inputs.ts';
import { compareWithPlan } from '../../../scripts/plan/simulate/compare.ts';
import type { SimulationOptions } from '../../../scripts/plan/simulate/load.ts';
import { simulate } from '../../../scripts/plan/simulate/simulation.ts';
import { MILLION_UNITS } from '../../support/plan/inputs.ts';

const UNITS = 20_000;
const OPTIONS: SimulationOptions = {
  ...{ seed: 1, units: UNITS, enqueuedPerSecond: 10_000 },
  ...{ brokenShare: 0.01, earlyViewShare: 0.01 },
};

function run(inputs: Partial<PlanInputs> = {}, options: Partial<SimulationOptions> = {}) {
  const plan = calculatePlan({ ...MILLION_UNITS, unitsPerHour: UNITS, backlogUnits: UNITS, ...inputs });
  const simulation = simulate(plan, { ...OPTIONS, ...options });
  return { plan, simulation, comparison: compareWithPlan(plan, simulation) };
}

describe('a simulated load', () => {
  it.each<[string, Partial<PlanInputs>]>([
    ['as it comes', {}],
    ['with a hundred workers', { maxConcurrency: 100 }],
    ['of units of forty images', { imagesPerUnit: 40, maxConcurrency: 200 }],
    ['with two vCPUs a worker and ten messages a batch', { memoryMb: 3538, messagesPerBatch: 10 }],
    ['with slow images', { msPerImage: 3000, maxConcurrency: 40 }],
  ])('agrees with the arithmetic of the plan within 5%, %s', (_name, inputs) => {
    for (const { name, ratio } of run(inputs).comparison) {
      expect(ratio, name).toBeGreaterThan(0.95);
      expect(ratio, name).toBeLessThan(1.05);
    }
  });

  it('does every unit once, those that were purged before excepted', () => {
    const { simulation } = run({ purgedShare: 0.1 });
    const { counts, minutes } = simulation;
    expect(minutes.at(-1)?.doneUnits).toBe(UNITS);
    expect(counts.skippedUnits).toBeGreaterThan(0);
    expect(counts.images).toBe((UNITS - counts.skippedUnits) * 5);
    expect(counts.purgedUnits).toBeGreaterThan(counts.skippedUnits);
  });

  it('is the same with the same seed, and another with another', () => {
    const { simulation } = run();
    expect(run().simulation).toEqual(simulation);
    expect(run({}, { seed: 2 }).simulation.doneSeconds).not.toBe(simulation.doneSeconds);
  });

  it('never has more workers, nor more messages in flight, than the limits allow', () => {
    const { most } = run({ maxConcurrency: 1000, messagesPerBatch: 10 }).simulation;
    expect(most.workers).toBeLessThanOrEqual(1000);
    expect(most.inFlight).toBeLessThanOrEqual(10_000);
    // Workers come 300 a minute.
    expect(run({ maxConcurrency: 1000 }).simulation.minutes[0]?.workers).toBeLessThanOrEqual(305);
  });

  it('is slowed down by S3 where one partition gets more than it takes, until S3 has split it', () => {
    const fast = { msPerImage: 20, maxConcurrency: 300, purgedShare: 0 };
    const { simulation } = run({ ...fast, unitsPerHour: 100_000 }, { units: 100_000 });
    expect(simulation.most.storeDelaySeconds).toBeGreaterThan(1);
    const fastPlan = calculatePlan({ ...MILLION_UNITS, ...fast, unitsPerHour: 100_000 });
    // As long as the arithmetic says of a new bucket, and longer than the workers alone need.
    const { simulated = 0, ratio } = compareWithPlan(fastPlan, simulation)[0] ?? {};
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.05);
    expect(simulated * fastPlan.workers.capacityPerSecond.value).toBeGreaterThan(1.05 * 500_000);
  });

  it('draws from CPU times that were measured', () => {
    const { simulation } = run({}, { measuredMs: [100, 600] });
    expect(simulation.counts.cpuSeconds / simulation.counts.images).toBeCloseTo(0.35, 1);
  });
});
