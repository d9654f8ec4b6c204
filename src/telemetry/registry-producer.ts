import { type HrTime, ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Registry } from 'prom-client';

// So that each metric is counted once, for Prometheus, and exported as it is.

/** A metric as `Registry.getMetricsAsJSON` returns it. */
interface RegistryMetric {
  name: string;
  help: string;
  type: string;
  values: readonly Value[];
}

interface Value {
  value: number;
  labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: that of the metric with `_bucket`, `_sum` or `_count` at its end. */
  metricName?: string;
}

/** The times of a data point. */
type Times = Pick<DataPoint<unknown>, 'startTime' | 'endTime'>;

/** Returns what collects the counters, gauges and histograms of a registry, under the same names, with the labels as attributes. */
export function createRegistryProducer(
  registry: Registry,
  resource: Resource,
  scope: { name: string },
): MetricProducer {
  const startTime = timeOf(performance.timeOrigin);
  return {
    async collect(): Promise<CollectionResult> {
      const metrics = (await registry.getMetricsAsJSON()) as unknown as RegistryMetric[];
      const times = { startTime, endTime: timeOf(Date.now()) };
      const all = metrics.flatMap((metric) => convert(metric, times) ?? []);
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics: all }] }, errors: [] };
    },
  };
}

function timeOf(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.round((unixMs - seconds * 1000) * 1e6)];
}

/** Returns `undefined` for a type that is not exported. */
function convert(metric: RegistryMetric, times: Times): MetricData | undefined {
  const base = {
    descriptor: { name: metric.name, description: metric.help, unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const points = () => metric.values.map(({ labels, value }) => ({ ...times, attributes: labels, value }));
  switch (metric.type) {
    case 'counter':
      return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points() };
    case 'gauge':
      return { ...base, dataPointType: DataPointType.GAUGE, dataPoints: points() };
    case 'histogram':
      return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms(metric, times) };
    default:
      return undefined;
  }
}

function histograms({ name, values }: RegistryMetric, times: Times) {
  const byLabels = new Map<string, { attributes: Value['labels']; values: Value[] }>();
  for (const value of values) {
    const { le: _, ...attributes } = value.labels;
    const key = JSON.stringify(Object.entries(attributes).sort());
    const group = byLabels.get(key) ?? { attributes, values: [] };
    byLabels.set(key, group);
    group.values.push(value);
  }
  return [...byLabels.values()].map((group) => ({
    ...times,
    attributes: group.attributes,
    value: histogramOf(name, group.values),
  }));
}

/** Buckets of Prometheus count all values up to a bound; those of OpenTelemetry only the values above the bound before. */
function histogramOf(name: string, values: readonly Value[]) {
  const total = (suffix: string) => values.find(({ metricName }) => metricName === name + suffix)?.value ?? 0;
  const buckets = values.filter(({ labels }) => labels['le'] !== undefined);
  const upTo = buckets.map(({ value }) => value);
  return {
    sum: total('_sum'),
    count: total('_count'),
    buckets: {
      boundaries: buckets.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite),
      counts: upTo.map((count, index) => count - (upTo[index - 1] ?? 0)),
    },
  };
}
