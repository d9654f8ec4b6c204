import { expect, it } from 'vitest';
import { loadOpenTelemetry } from '../../src/telemetry/load-opentelemetry.ts';

it('Without a collector, nothing is sent to any', async () => {
  const options = { otlpEndpoint: undefined, otelTracesExporter: 'otlp' } as const;
  const telemetry = await loadOpenTelemetry(options, '1.0.0');
  await telemetry?.close();
  expect(telemetry).toBeUndefined();
});
