import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createLabelledHistogram, createRequestMetrics } from '../../src/telemetry/request-metrics.ts';

it('A histogram with one label says the same as one of prom-client', async () => {
  const options = { name: 'seconds', help: 'Times', buckets: [0.001, 0.5, 2] };
  const [own, expected] = [new Registry(), new Registry()];
  const { observe } = createLabelledHistogram({ ...options, registry: own, labelName: 'outcome' });
  const theirs = new Histogram({ ...options, labelNames: ['outcome'], registers: [expected] });
  expect(await own.metrics()).toBe(await expected.metrics());
  for (const outcome of ['hit', 'miss']) {
    for (const seconds of [0, 0.001, 0.0011, 0.5, 1.25, 2, 60]) {
      observe(outcome, seconds);
      theirs.observe({ outcome }, seconds);
    }
  }
  expect(await own.metrics()).toBe(await expected.metrics());
  // As workers send them to each other; without exemplars, which nobody sets.
  const asSent = async (registry: Registry) =>
    JSON.parse(
      JSON.stringify(await registry.getMetricsAsJSON(), (key, value) =>
        key === 'exemplar' ? undefined : value,
      ),
    );
  expect(await asSent(own)).toEqual(await asSent(expected));
});

it('Requests count however often they are read', async () => {
  const registry = new Registry();
  const record = createRequestMetrics(registry, [1]);
  const hit = { outcome: 'hit', code: '', seconds: 0.5, bytes: 10, originalBytes: 100 } as const;
  record(hit);
  await registry.metrics();
  record(hit);
  record({ outcome: 'error', code: 'expired', seconds: 2, bytes: 5, originalBytes: undefined });
  record({ outcome: 'error', code: 'internal', seconds: 2, bytes: 0, originalBytes: undefined });
  const lines = (await registry.metrics()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'edgepress_requests_total{outcome="hit",code=""} 2',
      'edgepress_requests_total{outcome="error",code="expired"} 1',
      'edgepress_requests_total{outcome="error",code="internal"} 1',
      'edgepress_request_seconds_count{outcome="hit"} 2',
      'edgepress_response_bytes_total 25',
      'edgepress_image_bytes_total 20',
      'edgepress_image_original_bytes_total 200',
    ]),
  );
});
