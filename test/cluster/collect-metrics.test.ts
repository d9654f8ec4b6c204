import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createMetricsCollector } from '../../src/cluster/collect-metrics.ts';

/** Returns the metrics of a process that has counted so many requests. */
function metricsOf(requests: number) {
  const registry = new Registry();
  new Counter({ name: 'requests_total', help: 'Requests', registers: [registry] }).inc(requests);
  new Gauge({ name: 'memory_bytes', help: 'Memory', registers: [registry] }).set(50);
  const seconds = new Histogram({ name: 'seconds', help: 'Time', registers: [registry], buckets: [1] });
  for (let count = 0; count < requests; count++) seconds.observe(0.5);
  return registry.getMetricsAsJSON();
}

/** A collector, and the ids of the questions that each owner was asked. */
function setUp() {
  const asked = new Map<string, number>();
  const collector = createMetricsCollector<string>((owner, id) => asked.set(owner, id));
  const answer = async (owner: string, requests: number) =>
    collector.answer(asked.get(owner) ?? 0, await metricsOf(requests));
  return { ...collector, answer };
}

describe('The metrics of several processes', () => {
  it('are added up once all have answered', async () => {
    const { collect, answer } = setUp();
    const text = collect(['a', 'b']);
    await answer('a', 3);
    await answer('b', 4);
    expect(await text).toContain('\nrequests_total 7\n');
  });

  it('do not wait for a process that dies', async () => {
    const { collect, answer, forget } = setUp();
    const text = collect(['a', 'b']);
    await answer('a', 3);
    forget('b');
    expect(await text).toContain('\nrequests_total 3\n');
  });

  it('count a process once that dies between its answer and the sum', async () => {
    const { collect, answer, forget } = setUp();
    const text = collect(['a']);
    await answer('a', 3);
    forget('a');
    expect(await text).toContain('\nrequests_total 3\n');
  });

  it('keep what a process had counted when it dies, but not what it had', async () => {
    const { collect, answer, forget } = setUp();
    const owners = ['a', 'b', 'c'];
    const first = collect(owners);
    for (const owner of owners) await answer(owner, 3);
    expect(await first).toContain('\nmemory_bytes 150\n');
    forget('b');
    forget('c');
    const second = collect(['a']);
    await answer('a', 4);
    const text = await second;
    expect(text).toContain('\nrequests_total 10\n');
    expect(text).toContain('\nseconds_bucket{le="1"} 10\n');
    expect(text).toContain('\nmemory_bytes 50\n');
  });
});
