import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createMetricsCollector } from '../../src/cluster/collect-metrics.ts';

/** Returns the metrics of a process that has counted so many requests. */
function metricsOf(requests: number) {
  const registry = new Registry();
  new Counter({ name: 'requests_total', help: 'Requests', registers: [registry] }).inc(requests);
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

  it('are not mixed up with those of another collection', async () => {
    const { collect, answer, forget } = setUp();
    const first = collect(['a', 'b']);
    const second = collect(['a']);
    await answer('a', 3);
    forget('b');
    forget('a');
    expect(await second).toContain('\nrequests_total 3\n');
    expect(await first).not.toContain('requests_total');
  });
});
