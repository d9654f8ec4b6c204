import type { Logger } from 'pino';
import type { CircuitBreakers, CircuitChange } from './circuit-breaker.ts';
import type { MetricSource, Sample } from './telemetry/metric-source.ts';

/** What a circuit breaker is for: the hosts of sources, or the store. */
type CircuitKind = 'source' | 'store';

/** Hosts are labels of metrics, so only so many of those that are down are named. */
const MAX_NAMED_TARGETS = 20;

/** Returns the metrics of circuit breakers: what is down, and how many requests were refused. */
export function circuitMetrics(
  circuits: Readonly<Partial<Record<CircuitKind, Pick<CircuitBreakers, 'list' | 'refusals'>>>>,
): MetricSource[] {
  const kinds = Object.entries(circuits);
  return [
    {
      name: 'circuit_refused_total',
      type: 'counter',
      help: 'Requests that were not sent, because their target was known to be down',
      labelNames: ['kind'],
      read: () => kinds.map(([kind, { refusals }]) => ({ labels: { kind }, value: refusals() })),
    },
    {
      name: 'circuits_open',
      type: 'gauge',
      help: 'Targets that are known to be down: hosts of sources, or the store',
      labelNames: ['kind'],
      read: () => kinds.map(([kind, { list }]) => ({ labels: { kind }, value: list().length })),
    },
    {
      name: 'circuit_open',
      type: 'gauge',
      help: 'Each target that is known to be down, those first that refused the most requests: how many it refused since it last worked',
      labelNames: ['kind', 'target', 'state'],
      read: () => kinds.flatMap(([kind, { list }]) => list().slice(0, MAX_NAMED_TARGETS).map(sampleOf(kind))),
    },
  ];
}

function sampleOf(kind: string) {
  return ({ target, state, refused }: ReturnType<CircuitBreakers['list']>[number]): Sample => ({
    labels: { kind, target, state },
    value: refused,
  });
}

/** Returns a function that logs when a circuit opens, opens for longer, or closes. */
export function logCircuit(log: Logger, kind: CircuitKind): (change: CircuitChange) => void {
  return ({ target, state, error, openings }) => {
    if (state === 'closed') log.info({ kind, target, openings }, 'circuit breaker closed: it works again');
    else log.warn({ kind, target, openings, err: error }, 'circuit breaker opened: requests fail at once');
  };
}
