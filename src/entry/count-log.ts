import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Services } from '../services.ts';
import { type EmbeddedCounts, embedCounts } from '../telemetry/emf.ts';
import type { Sample } from '../telemetry/metric-source.ts';

/** The metric of circuit breakers that are open; see `circuitMetrics`. */
const CIRCUITS_OPEN = 'circuits_open';

/**
 * Returns a function that logs what happened since the last call and no request shows, as metrics for CloudWatch: failures of the store that no
 * viewer saw, and circuit breakers that are open. Nothing is logged while all is well.
 */
export function createCountLog(
  { emfNamespace }: Pick<Config, 'emfNamespace'>,
  log: Logger,
  { storeFaults, metricSources }: Pick<Services, 'storeFaults' | 'metricSources'>,
): () => void {
  if (emfNamespace === undefined) return () => {};
  const circuits = metricSources.find(({ name }) => name === CIRCUITS_OPEN);
  const readCircuits = () => {
    const samples = (circuits?.read() ?? []) as Iterable<Sample>;
    return Object.fromEntries([...samples].map(({ labels, value }) => [labels?.['kind'] ?? '', value]));
  };
  const counts: EmbeddedCounts[] = [
    { name: 'storeFaults', dimension: 'operation', kind: 'total', read: storeFaults },
    { name: 'circuitsOpen', dimension: 'circuit', kind: 'state', read: readCircuits },
  ];
  const embed = embedCounts(emfNamespace, counts);
  return () => {
    for (const fields of embed()) log.warn(fields, 'counts');
  };
}
