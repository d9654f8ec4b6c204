import type { MetricSource } from '../../telemetry/metric-source.ts';
import type { EndReason } from './encoder-process.ts';

/** How many processes a pool has, and how many had to be replaced. */
export interface ProcessCounts {
  /** Those that work on an image now. */
  busy: number;
  /** Those that wait for one. */
  idle: number;
  /** Those that ended and should not have, by reason. */
  replaced: Partial<Record<EndReason, number>>;
}

export function createProcessCounts(): ProcessCounts {
  return { busy: 0, idle: 0, replaced: {} };
}

/** Returns the counts as metrics. */
export function processMetrics(counts: ProcessCounts): MetricSource[] {
  return [
    {
      name: 'encoder_processes',
      type: 'gauge',
      help: 'Processes that decode and encode, by whether they work on an image',
      labelNames: ['state'],
      read: () => [
        { labels: { state: 'busy' }, value: counts.busy },
        { labels: { state: 'idle' }, value: counts.idle },
      ],
    },
    {
      name: 'encoder_process_restarts_total',
      type: 'counter',
      help: 'Processes that ended while or before they worked on an image, by reason',
      labelNames: ['reason'],
      read: () => Object.entries(counts.replaced).map(([reason, value]) => ({ labels: { reason }, value })),
    },
  ];
}
