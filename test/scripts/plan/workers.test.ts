import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../infra/settings.ts';
import { calculatePlan } from '../../../scripts/plan/calculate.ts';
import type { PlanInputs } from '../../../scripts/plan/inputs.ts';
import { PRICED_REGIONS, pricesOf } from '../../../scripts/plan/prices.ts';
import { LOG_BYTES } from '../../../scripts/plan/stack-inputs.ts';
import { embedImageMetrics } from '../../../src/telemetry/emf.ts';
import { logOptions } from '../../../src/telemetry/log-options.ts';
import { logImage } from '../../../src/unit/outcome.ts';
import { MILLION_UNITS } from '../../support/plan/inputs.ts';

const planFor = (inputs: Partial<PlanInputs>) => calculatePlan({ ...MILLION_UNITS, ...inputs });
const SPOT = { max: undefined, vcpus: 4, isSpot: true };

describe('waiting for originals', () => {
  it('costs the time of the first one of a batch on Lambda where the others come while it is encoded', () => {
    const { workers, cost } = planFor({ fetchMs: 500 });
    // 0.5 s ÷ 100 images of a batch
    expect(workers.waitSecondsPerImage.value).toBeCloseTo(0.005, 9);
    // 5,000,000 × 0.005 s × 1,769 ÷ 1,024 × $0.0000133334
    expect(cost.waiting.value).toBeCloseTo(0.57585, 4);
    // 1,388.9 images/s × (0.35 + 0.005) s
    expect(workers.busy.value).toBeCloseTo(493.056, 3);
  });

  it('is for the first one only where the others take just as long as their encoding', () => {
    // 100 images × 1.4 s ÷ 4 = 35 s
    const { waitSecondsPerImage } = planFor({ fetchMs: 1400 }).workers;
    expect(waitSecondsPerImage.value).toBeCloseTo(0.014, 9);
    expect(waitSecondsPerImage.arithmetic).toContain('the others come while the first is encoded');
  });

  it('costs wall time on Lambda where a source is slower than the CPU, and nothing in containers', () => {
    const slow = { fetchMs: 8000 };
    // (8 s + 100 images × 8 s ÷ 4 − 35 s) ÷ 100
    expect(planFor(slow).workers.waitSecondsPerImage.value).toBeCloseTo(1.73, 9);
    expect(planFor({ ...slow, containers: SPOT }).cost.waiting.value).toBe(0);
  });
});

describe('workers in containers', () => {
  it('cost what Fargate Spot takes for their vCPU seconds', () => {
    const { cost, workers, stackOptions } = planFor({ containers: SPOT });
    // (4 × ($0.03238 + 2 × $0.00356) × 0.3 + $0.005) ÷ 4 ÷ 3,600 s × 350,000 s = $1.27 a million
    expect(cost.compute.usdPerMillionImages).toBeCloseTo(1.2736, 3);
    // ⌈(486.1 − 2) ÷ 4 × 1.25⌉, with two functions beside them
    expect(workers.maxContainers?.value).toBe(152);
    expect(stackOptions).toMatchObject({ fargateMaxTasks: 152, fargateVcpus: 4, workerMaxConcurrency: 2 });
    expect(cost.invocations.value).toBe(0);
  });

  it('are compared with Lambda and with Fargate that is not spare capacity', () => {
    const { places } = planFor({});
    // Compute of 350 ms: $8.06, $3.96 and $1.27; all else is the same.
    expect(places.lambda.value - places.requests.value).toBeCloseTo(8.0619, 3);
    expect(places.fargate.value - places.requests.value).toBeCloseTo(3.9618, 3);
    expect(places.spot.value - places.requests.value).toBeCloseTo(1.2736, 3);
  });
});

describe('an account with 10 concurrent executions', () => {
  it('gets as many workers as leave viewers half of them', () => {
    const { workers, quotas } = planFor({ executionsLimit: 10 });
    expect(workers.maxConcurrency.value).toBe(5);
    expect(quotas[0]).toMatchObject({ limit: 10, needed: { value: 10 }, isEnough: true });
  });
});

describe('the log lines of an image', () => {
  it.each([
    ['plain', LOG_BYTES.plain, undefined],
    ['with metrics for CloudWatch', LOG_BYTES.withMetrics, 'Edgepress'],
  ])('have the planned bytes, %s', (_name, planned, namespace) => {
    const lines: string[] = [];
    const log = pino(
      { ...logOptions('info'), base: null },
      { write: (line: string) => void lines.push(line) },
    );
    const outcome = { unit: 'unit-12345678', src: 'https://images.client.example.com/a/photo-1234.jpg' };
    logImage(
      log,
      { ...outcome, state: 'ready', sourceBytes: 1, variants: [], skipped: false },
      namespace === undefined ? undefined : embedImageMetrics(namespace),
    );
    const bytes = Buffer.byteLength(lines.join(''));
    expect(Math.abs(bytes - planned)).toBeLessThan(planned * 0.1);
  });
});

describe('prices of a region', () => {
  it.each(PRICED_REGIONS)('are known for %s, in which the stack can be deployed', (region) => {
    expect(() => readSettings({}, { region })).not.toThrow();
    expect(pricesOf(region).notFound).not.toContain('usdPerMillionPuts');
  });

  it('name what was not found and so is that of us-east-1', () => {
    expect(pricesOf('eu-west-2')).toMatchObject({
      usdPerMillionPuts: 5.3,
      notFound: ['usdPerMillionQueueCalls'],
    });
    expect(pricesOf('af-south-1').notFound).toEqual(
      expect.arrayContaining(['usdPerVcpuHour', 'usdPerGbOfLogs']),
    );
    expect(pricesOf('af-south-1').usdPerGbSecond).toBe(0.00001768);
    expect(pricesOf('mars-north-1').notFound).toContain('usdPerGbSecond');
  });
});
