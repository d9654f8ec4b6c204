import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricSource } from './telemetry/metric-source.ts';
import { registerSource } from './telemetry/register-source.ts';
import { createRequestMetrics, type RequestOutcome } from './telemetry/request-metrics.ts';
import type { ImageOutcome } from './unit/outcome.ts';
import type { WorkEvent } from './variant/trace.ts';

/** The metrics of this process, for Prometheus. */
export interface Metrics {
  recordRequest(request: RequestOutcome): void;
  recordWork(work: WorkEvent): void;
  /** Records a step of a request or a job; see `TraceStep`, and `WAIT_STEP` for waits. */
  recordStep(name: string, seconds: number): void;
  /** Records an image of a job that was taken from the queue. */
  recordImage(outcome: ImageOutcome): void;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
  contentType: string;
  registry: Registry;
}

/** Values that are read only when the metrics are scraped. */
export interface MetricsSources {
  /** Number of jobs that wait or are in flight. */
  queueDepth: () => Promise<number>;
  /** Errors of the store so far that no client saw, by operation. */
  storeFaults: () => Readonly<Partial<Record<string, number>>>;
  /** Log lines so far that were lost. */
  droppedLines: () => number;
  /** What others count. */
  sources?: readonly MetricSource[];
}

/** Bounds of the buckets, from a hit in the memory cache to the longest that a request can take. */
const SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Returns metrics with a registry of their own, the default ones of a Node process included. */
export function createMetrics({
  queueDepth,
  storeFaults,
  droppedLines,
  sources = [],
}: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `edgepress_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, ...labelNames: string[]) =>
    new Histogram({ name: `edgepress_${name}`, help, labelNames, registers, buckets: SECONDS });

  const bytesIn = counter('source_bytes_total', 'Bytes of originals that were fetched');
  const fetchSeconds = histogram('fetch_seconds', 'How long fetching an original took');
  const encodes = counter('encodes_total', 'Variants made', 'format', 'tier');
  const encodedBytes = counter('variant_bytes_total', 'Bytes of variants made', 'format', 'tier');
  const encodeSeconds = histogram(
    'encode_seconds',
    'How long encoding took, including the wait for it',
    'format',
  );
  const stepSeconds = histogram('step_seconds', 'How long the steps of misses and jobs took', 'step');
  const broken = counter('broken_sources_total', 'Attempts at sources that failed', 'code');
  const images = counter('prewarm_images_total', 'Images taken from the queue', 'state');
  registerGauges(registers, queueDepth, storeFaults);
  for (const source of sources) registerSource(registry, source);
  new Counter({
    name: 'edgepress_log_lines_dropped_total',
    help: 'Log lines that were lost, because the log could not be written, or not as fast',
    registers,
    collect() {
      this.reset();
      this.inc(droppedLines());
    },
  });

  return {
    contentType: registry.contentType,
    registry,
    text: () => registry.metrics(),
    recordRequest: createRequestMetrics(registry, SECONDS),
    recordWork(work) {
      if (work.kind === 'broken') return broken.inc({ code: work.code });
      const seconds = work.ms / 1000;
      if (work.kind === 'fetch') {
        bytesIn.inc(work.bytes);
        return fetchSeconds.observe(seconds);
      }
      const { format, tier } = work;
      encodes.inc({ format, tier });
      encodedBytes.inc({ format, tier }, work.bytes);
      encodeSeconds.observe({ format }, seconds);
    },
    recordStep: (step, seconds) => stepSeconds.observe({ step }, seconds),
    recordImage: (outcome) =>
      images.inc({ state: outcome.state === 'ready' && outcome.skipped ? 'skipped' : outcome.state }),
  };
}

function registerGauges(
  registers: Registry[],
  queueDepth: MetricsSources['queueDepth'],
  storeFaults: MetricsSources['storeFaults'],
): void {
  new Gauge({
    name: 'edgepress_queue_jobs',
    help: 'Jobs that wait or are in flight; NaN when the queue does not answer',
    registers,
    // All workers have the same queue.
    aggregator: 'max',
    async collect() {
      this.set(await queueDepth().catch(() => Number.NaN));
    },
  });
  new Counter({
    name: 'edgepress_store_faults_total',
    help: 'Errors of the store that no client saw, by operation',
    labelNames: ['operation'],
    registers,
    collect() {
      this.reset();
      for (const [operation, count] of Object.entries(storeFaults())) this.inc({ operation }, count ?? 0);
    },
  });
}
