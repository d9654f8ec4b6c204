import { Counter, Gauge, type Registry } from 'prom-client';
import type { MetricSource, Sample } from './metric-source.ts';

/** Adds a metric to a registry, which reads it at each scrape. */
export function registerSource(registry: Registry, source: MetricSource): void {
  const { name, type, help, labelNames = [], aggregator = 'sum' } = source;
  const registers = [registry];
  const identity = { name: `edgepress_${name}`, labelNames: [...labelNames] };
  const configuration = { ...identity, help, registers, aggregator };
  if (type === 'gauge') {
    new Gauge({
      ...configuration,
      async collect() {
        const samples = await readSamples(source);
        this.reset();
        for (const { labels = {}, value } of samples) this.set(labels, value);
      },
    });
    return;
  }
  new Counter({
    ...configuration,
    async collect() {
      // Before the reset: two scrapes at the same time would add up.
      const samples = await readSamples(source);
      this.reset();
      for (const { labels = {}, value } of samples) this.inc(labels, value);
    },
  });
}

async function readSamples({ read }: MetricSource): Promise<Iterable<Sample>> {
  try {
    const values = await read();
    return typeof values === 'number' ? [{ value: values }] : [...values];
  } catch {
    return [];
  }
}
