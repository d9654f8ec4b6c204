import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Services } from './services.ts';
import { type EmbeddedCounts, embedCounts } from './telemetry/emf.ts';
import type { Sample } from './telemetry/metric-source.ts';
import { NOT_PREWARMED } from './variant/not-prewarmed.ts';

/** The metric of circuit breakers that are open; see `circuitMetrics`. */
const CIRCUITS_OPEN = 'circuits_open';
const MINUTE_MS = 60_000;

/**
 * Returns a function that logs what happened since the last call and no request shows, as metrics for CloudWatch: failures of the store that no
 * viewer saw, circuit breakers that are open, and variants that prewarm does not make and viewers asked for. Nothing is logged while all is well.
 */
export function createCountLog(
  { emfNamespace }: Pick<Config, 'emfNamespace'>,
  log: Logger,
  { storeFaults, metricSources }: Pick<Services, 'storeFaults' | 'metricSources'>,
): () => void {
  if (emfNamespace === undefined) return () => {};
  const reader = (metric: string, label: string) => () => {
    const source = metricSources.find(({ name }) => name === metric);
    const samples = (source?.read() ?? []) as Iterable<Sample>;
    return Object.fromEntries([...samples].map(({ labels, value }) => [labels?.[label] ?? '', value]));
  };
  const counts: EmbeddedCounts[] = [
    { name: 'storeFaults', dimension: 'operation', kind: 'total', read: storeFaults },
    { name: 'circuitsOpen', dimension: 'circuit', kind: 'state', read: reader(CIRCUITS_OPEN, 'kind') },
    { name: 'notPrewarmed', dimension: 'reason', kind: 'total', read: reader(NOT_PREWARMED, 'reason') },
  ];
  const embed = embedCounts(emfNamespace, counts);
  return () => {
    for (const fields of embed()) log.warn(fields, 'counts');
  };
}

/** Logs counts each minute. Returns a function that ends that, and logs what came since. */
export function logEachMinute(logCounts: () => void): () => void {
  const timer = setInterval(logCounts, MINUTE_MS).unref();
  return () => {
    clearInterval(timer);
    logCounts();
  };
}
