import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ImageOutcome } from './unit/outcome.ts';
import type { Work } from './variant/trace.ts';

/** What a request came to. */
export interface RequestOutcome {
  /** `ok` for all that is no image. */
  outcome: 'hit' | 'miss' | 'ok' | 'error';
  /** Of the problem document, or empty. */
  code: string;
  seconds: number;
  /** Of the answer's body. */
  bytes: number;
  /** Of the original, where the answer is a whole picture. */
  originalBytes: number | undefined;
}

/** What this process has done, for Prometheus. */
export interface Metrics {
  observeRequest(request: RequestOutcome): void;
  observeWork(work: Work): void;
  /** An image that was taken from the queue. */
  observeImage(outcome: ImageOutcome): void;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  contentType: string;
}

/** What is asked for only when someone looks. */
export interface MetricsSources {
  /** Jobs that wait or are in hand. */
  queueDepth: () => Promise<number>;
  /** Faults of the store so far, by operation. */
  storeFaults: () => Readonly<Partial<Record<string, number>>>;
}

/** From a hit in memory to the longest that a request can take. */
const SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

export function createMetrics({ queueDepth, storeFaults }: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `edgepress_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, ...labelNames: string[]) =>
    new Histogram({ name: `edgepress_${name}`, help, labelNames, registers, buckets: SECONDS });

  const requests = counter('requests_total', 'Requests, by outcome and problem code', 'outcome', 'code');
  const requestSeconds = histogram('request_seconds', 'How long requests took', 'outcome');
  const bytesOut = counter('response_bytes_total', 'Bytes of answers');
  const imageBytes = counter('image_bytes_total', 'Bytes of whole pictures that were sent');
  const originalBytes = counter('image_original_bytes_total', 'Bytes that their originals would have been');
  const bytesIn = counter('source_bytes_total', 'Bytes of originals that were fetched');
  const fetchSeconds = histogram('fetch_seconds', 'How long fetching an original took');
  const encodes = counter('encodes_total', 'Variants made', 'format', 'tier');
  const encodedBytes = counter('variant_bytes_total', 'Bytes of variants made', 'format', 'tier');
  const encodeSeconds = histogram('encode_seconds', 'How long encoding took, waiting included', 'format');
  const broken = counter('broken_sources_total', 'Attempts at sources that failed', 'code');
  const images = counter('prewarm_images_total', 'Images taken from the queue', 'state');
  registerGauges(registers, queueDepth, storeFaults);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeRequest({ outcome, code, seconds, bytes, ...answer }) {
      requests.inc({ outcome, code });
      requestSeconds.observe({ outcome }, seconds);
      bytesOut.inc(bytes);
      if (answer.originalBytes === undefined) return;
      imageBytes.inc(bytes);
      originalBytes.inc(answer.originalBytes);
    },
    observeWork(work) {
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
    observeImage: (outcome) =>
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
    help: 'Jobs that wait or are in hand; not a number when the queue cannot be asked',
    registers,
    async collect() {
      this.set(await queueDepth().catch(() => Number.NaN));
    },
  });
  new Counter({
    name: 'edgepress_store_faults_total',
    help: 'Faults of the store that no viewer saw, by operation',
    labelNames: ['operation'],
    registers,
    collect() {
      this.reset();
      for (const [operation, faults] of Object.entries(storeFaults())) this.inc({ operation }, faults ?? 0);
    },
  });
}
