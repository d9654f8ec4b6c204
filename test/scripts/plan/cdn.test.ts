import { describe, expect, it } from 'vitest';
import { calculatePlan } from '../../../scripts/plan/calculate.ts';
import { compareFlatRates } from '../../../scripts/plan/cdn-advice.ts';
import { figure } from '../../../scripts/plan/figure.ts';
import type { PlanInputs } from '../../../scripts/plan/inputs.ts';
import { MILLION_UNITS } from '../../support/plan/inputs.ts';

const planFor = (inputs: Partial<PlanInputs>) => calculatePlan({ ...MILLION_UNITS, ...inputs });

describe('bytes out of the CDN', () => {
  it('cost what the tiers of a month make of them', () => {
    const { cost, views } = planFor({});
    // 15,000,000 views × 71 KB × 730 h = 777,450 GB a month, of which
    // 10,000 × $0.085 + 40,000 × $0.08 + 100,000 × $0.06 + 350,000 × $0.04 + 277,450 × $0.03 = $32,373.50; at $0.085 each it were $66,083.
    expect(cost.egress.usdPerMonth).toBeCloseTo(32_373.5, 6);
    expect(views.usdPerNextGb.value).toBe(0.03);
  });

  it('are counted by tiers in each area apart', () => {
    const { cost, views } = planFor({ viewers: { eu: 0.99, in: 0.01 }, viewsPerImage: 0.1 });
    // 500,000 views × 71 KB × 730 h = 25,915 GB a month: 25,655.85 in Europe, 259.15 in India.
    // 10,000 × $0.085 + 15,655.85 × $0.08 + 259.15 × $0.109 = $2,130.71535
    expect(cost.egress.usdPerMonth).toBeCloseTo(2130.71535, 6);
    expect(views.usdPerNextGb.value).toBeCloseTo(0.99 * 0.08 + 0.01 * 0.109, 9);
    // 500,000 views an hour × 730 h × $1.20 a million
    expect(cost.requests.usdPerMonth).toBeCloseTo(438, 6);
  });

  it('cost what was agreed with AWS, where that is given', () => {
    const { cost, views } = planFor({ usdPerGbOut: 0.01 });
    expect(cost.egress.usdPerMonth).toBeCloseTo(777_450 * 0.01, 6);
    expect(views.usdPerNextGb.value).toBe(0.01);
  });

  it('cost nothing while there are no views', () => {
    expect(planFor({ viewsPerImage: 0 }).cost.egress.value).toBe(0);
  });
});

describe('the edge function', () => {
  it('reads its keys once for each view', () => {
    const { cost } = planFor({});
    // 15,000,000 views × $0.03 a million
    expect(cost.keys.value).toBeCloseTo(0.45, 9);
  });
});

describe("CloudFront's flat-rate plans", () => {
  it('are beside what a month costs by pay-as-you-go, with what the load needs of their allowances', () => {
    const { flatRates } = planFor({ unitsPerHour: 10_000 });
    const premium = flatRates.plans.find(({ name }) => name === 'Premium');
    // 150,000 views × 730 h = 109,500,000 of 500,000,000; 10.65 GB × 730 h = 7,774.5 of 50,000 GB
    expect(premium).toMatchObject({
      requestShare: { value: 0.219 },
      byteShare: { value: 0.15549 },
      fits: true,
    });
    // 109.5 million × ($1 + $0.10 + $0.03) + 7,774.5 GB × $0.085
    expect(flatRates.payAsYouGo.value).toBeCloseTo(123.735 + 660.8325, 6);
    const fitting = flatRates.plans.filter(({ fits }) => fits);
    expect(fitting.map(({ name }) => name)).toEqual(['Business', 'Premium']);
  });
});

describe('a flat-rate plan of CloudFront', () => {
  const free = figure('free', 0, '0');
  const viewing = { requests: free, edge: free, keys: free, egress: free };
  /** The plans that a load fits into which takes so much of the allowance of Premium. */
  function fitting(requestShare: number, byteShare: number): string[] {
    const { views } = planFor({});
    const load = {
      ...views,
      viewsPerHour: figure('views', (requestShare * 500_000_000) / 730, ''),
      outGbPerHour: figure('bytes', (byteShare * 50_000) / 730, ''),
    };
    return compareFlatRates(load, viewing).plans.flatMap(({ name, fits }) => (fits ? [name] : []));
  }

  it('fits a load that takes all of its bytes, and none with more, however few its requests are', () => {
    expect(fitting(0.01, 1)).toEqual(['Pro', 'Business', 'Premium']);
    expect(fitting(0.01, 1.001)).toEqual([]);
  });

  it('fits a load that takes all of its requests, and none with more, however few its bytes are', () => {
    expect(fitting(1, 0.5)).toEqual(['Premium']);
    expect(fitting(1.001, 0.5)).toEqual([]);
  });
});

describe('the advice on Origin Shield', () => {
  it('is off where all viewers are near it, since nothing goes to it that does not pass there anyway', () => {
    const { shield } = planFor({});
    expect(shield.isWorthIt).toBe(false);
    expect(shield.figures.passing.value).toBe(0);
  });

  it('is off where it only saves gets of S3, which cost less than its requests', () => {
    const { shield } = planFor({ viewers: { us: 0.5, eu: 0.5 }, earlyViewShare: 0 });
    expect(shield.isWorthIt).toBe(false);
    // 15,000,000 views × 50% × ($0.40 − $0.75) a million
    expect(shield.figures.net.value).toBeCloseTo(-2.625, 6);
  });

  it('is on where viewers of several areas ask for images before they are made', () => {
    const { shield } = planFor({ viewers: { us: 0.5, eu: 0.5 }, earlyViewShare: 0.1 });
    // 7,500,000 × (10% × 0.3 s × 1,769 MB ÷ 1,024 × $0.0000133334 + ($0.40 − $0.75) ÷ 1,000,000) = 7.5 × ($0.691 − $0.35)
    expect(shield.figures.net.value).toBeCloseTo(7.5 * (0.6910239 - 0.35), 4);
    expect(shield.isWorthIt).toBe(true);
  });
});
