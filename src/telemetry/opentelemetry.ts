import { hostname } from 'node:os';
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type Tracer as SdkTracer,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace as traces,
} from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Registry } from 'prom-client';
import { sleep } from '../backoff.ts';
import { createRegistryProducer } from './registry-producer.ts';
import type { Traceparent } from './traceparent.ts';
import type { Span, SpanOptions, Tracer } from './tracer.ts';

// Sends spans and metrics to a collector, by OTLP over HTTP. The SDK reads the standard variables itself: where to send (`OTEL_EXPORTER_OTLP_…`),
// which traces (`OTEL_TRACES_SAMPLER`), and who sends (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`).

const SCOPE = { name: 'edgepress' };
const SPAN_KINDS = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** What sends to the collector. */
export interface OpenTelemetry {
  /** Absent if no spans are recorded. */
  tracer: Tracer | undefined;
  /** Sends the metrics of a registry, again and again. */
  exportMetrics(registry: Registry, intervalMs: number): void;
  /** Sends what is left, for a few seconds at most, and ends. Never throws: a collector that is down is no reason to fail. */
  close(): Promise<void>;
}

export interface OpenTelemetryOptions {
  /** The version of this service. */
  version: string;
  recordsSpans: boolean;
}

/** A collector that does not answer must not keep a server from ending. */
const MAX_CLOSE_MS = 3000;
/** On AWS Lambda a viewer waits for this: what is not sent by then is sent during the next invocation, or lost. */
const MAX_FLUSH_MS = 500;

export function startOpenTelemetry({ version, recordsSpans }: OpenTelemetryOptions): OpenTelemetry {
  const resource = describeProcess(version);
  const provider = recordsSpans ? createTracerProvider(resource) : undefined;
  let meters: MeterProvider | undefined;
  return {
    tracer: provider && createTracer(provider),
    exportMetrics(registry, intervalMs) {
      meters = startMetrics(resource, registry, intervalMs);
    },
    async close() {
      const closing = Promise.allSettled([provider?.shutdown(), meters?.shutdown()]);
      await Promise.race([closing, sleep(MAX_CLOSE_MS)]);
    },
  };
}

/** What the environment says of the service goes before what it is by default. */
function describeProcess(version: string): Resource {
  const own = resourceFromAttributes({
    'service.name': SCOPE.name,
    'service.version': version,
    // Each worker sends its own metrics.
    'service.instance.id': `${hostname()}:${process.pid}`,
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

function createTracerProvider(resource: Resource): BasicTracerProvider {
  const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())];
  return new BasicTracerProvider({ resource, spanProcessors });
}

function startMetrics(resource: Resource, registry: Registry, intervalMs: number): MeterProvider {
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 30_000),
    metricProducers: [createRegistryProducer(registry, resource, SCOPE)],
  });
  return new MeterProvider({ resource, readers: [reader] });
}

function createTracer(provider: BasicTracerProvider): Tracer {
  const tracer = provider.getTracer(SCOPE.name);
  return {
    start: (options) => startSpan(tracer, options),
    async flush() {
      const flushing = provider.forceFlush().catch(() => undefined);
      await Promise.race([flushing, sleep(MAX_FLUSH_MS)]);
    },
  };
}

function startSpan(tracer: SdkTracer, { name, kind, parent, startMs, attributes }: SpanOptions): Span {
  const options = { kind: SPAN_KINDS[kind], startTime: startMs, attributes: { ...attributes } as Attributes };
  const span = tracer.startSpan(name, options, contextOf(parent));
  const { traceId, spanId, traceFlags } = span.spanContext();
  const own: Traceparent = { traceId, parentId: spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
  return {
    trace: own,
    addStep(step, error) {
      const child = tracer.startSpan(step.name, { startTime: step.startMs }, contextOf(own));
      if (error !== undefined) fail(child, error);
      child.end(step.endMs);
    },
    end(result) {
      if (result.name !== undefined) span.updateName(result.name);
      span.setAttributes({ ...result.attributes } as Attributes);
      if (result.error !== undefined) fail(span, result.error);
      span.end(result.endMs);
    },
  };
}

function contextOf(parent: Traceparent | undefined) {
  if (!parent) return ROOT_CONTEXT;
  const { traceId, parentId, sampled } = parent;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return traces.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentId, traceFlags, isRemote: true });
}

/** Without the message: it may quote what a source has answered. */
function fail(span: SdkSpan, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  const { code, name } = error as { code?: unknown; name?: unknown };
  span.setAttribute('error.type', String(code ?? name ?? 'error'));
}
