import type { OpenTelemetry } from './opentelemetry.ts';

export interface CollectorOptions {
  /** Where to send; absent: nowhere. The SDK reads it from the environment itself. */
  otlpEndpoint: string | undefined;
  otelTracesExporter: 'otlp' | 'none';
}

/**
 * Returns what sends spans and metrics to a collector, if there is one: only then is its SDK loaded.
 *
 * @param version - of this service
 */
export async function loadOpenTelemetry(
  { otlpEndpoint, otelTracesExporter }: CollectorOptions,
  version: string,
): Promise<OpenTelemetry | undefined> {
  if (otlpEndpoint === undefined) return undefined;
  const { startOpenTelemetry } = await import('./opentelemetry.ts');
  return startOpenTelemetry({ version, recordsSpans: otelTracesExporter === 'otlp' });
}
