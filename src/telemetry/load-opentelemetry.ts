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
 * @throws Error when there is one and the SDK was left out at installation (`npm ci --omit=peer`)
 */
export async function loadOpenTelemetry(
  { otlpEndpoint, otelTracesExporter }: CollectorOptions,
  version: string,
): Promise<OpenTelemetry | undefined> {
  if (otlpEndpoint === undefined) return undefined;
  const { startOpenTelemetry } = await import('./opentelemetry.ts').catch(explainMissing);
  return startOpenTelemetry({ version, recordsSpans: otelTracesExporter === 'otlp' });
}

function explainMissing(error: NodeJS.ErrnoException): never {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  throw new Error(
    'OTEL_EXPORTER_OTLP_ENDPOINT is set, and the SDK of OpenTelemetry is not installed: install without --omit=peer',
    { cause: error },
  );
}
