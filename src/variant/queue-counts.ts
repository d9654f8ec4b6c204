import type { MetricSource } from '../telemetry/metric-source.ts';
import type { QueuedWork, QueueStep } from './queue-load.ts';

/** Why work is refused: its wait would be, or has become, too long; too much waits; or the process is about to exit. */
export type Refusal = 'expected_wait' | 'deadline' | 'full' | 'draining';

/** What has become of the work in a queue, for metrics. */
export interface QueueCounts {
  refused: Record<Refusal, number>;
  /** By the step in which it was given up, since nobody waited for it any more. */
  abandoned: Record<QueueStep, number>;
  metricSources: readonly MetricSource[];
}

/** @param accepted - the work in the queue */
export function createQueueCounts(accepted: ReadonlySet<QueuedWork>): QueueCounts {
  const refused: QueueCounts['refused'] = { expected_wait: 0, deadline: 0, full: 0, draining: 0 };
  const abandoned: QueueCounts['abandoned'] = { wait: 0, fetch: 0, fetched: 0, encode: 0 };
  const waiting = () => [...accepted].filter(({ step }) => step === 'wait' || step === 'fetched').length;
  const samples = (counts: Readonly<Record<string, number>>, label: string) =>
    Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
  return {
    refused,
    abandoned,
    metricSources: [
      {
        name: 'work_queue_waiting',
        type: 'gauge',
        help: 'Misses that wait for a place to fetch or to encode',
        read: waiting,
      },
      {
        name: 'work_queue_running',
        type: 'gauge',
        help: 'Misses that are being fetched, encoded or stored',
        read: () => accepted.size - waiting(),
      },
      {
        name: 'work_refused_total',
        type: 'counter',
        help: 'Misses answered with overloaded, by reason',
        labelNames: ['reason'],
        read: () => samples(refused, 'reason'),
      },
      {
        name: 'abandoned_total',
        type: 'counter',
        help: 'Misses given up because their viewers had left, by the step they were in',
        labelNames: ['step'],
        read: () => samples(abandoned, 'step'),
      },
    ],
  };
}
