import type { MetricSource } from '../telemetry/metric-source.ts';
import type { StoreUpkeep } from './store.ts';

/** Returns the metrics of a store that is kept within limits. Of several processes, the one that does that knows the size. */
export function upkeepMetrics(upkeep: StoreUpkeep): readonly MetricSource[] {
  const shared = { type: 'gauge', aggregator: 'max' } as const;
  const ifKnown = (value: number | undefined) => (value === undefined ? [] : [{ value }]);
  const removed = (what: 'objects' | 'bytes') =>
    Object.entries(upkeep.removed()).map(([reason, counts]) => ({ labels: { reason }, value: counts[what] }));
  return [
    {
      ...{ name: 'store_bytes', help: 'What the folder of the store takes on the disk, about', ...shared },
      read: () => ifKnown(upkeep.usage()?.bytes),
    },
    {
      ...{ name: 'store_objects', help: 'Objects in the folder of the store, about', ...shared },
      read: () => ifKnown(upkeep.usage()?.objects),
    },
    {
      ...{ name: 'store_limit_bytes', help: 'STORE_MAX_BYTES', ...shared },
      read: () => ifKnown(upkeep.maxBytes),
    },
    {
      ...{ name: 'store_free_bytes', help: 'What is free on the disk of the store', ...shared },
      read: () => upkeep.freeBytes(),
    },
    {
      name: 'store_evicted_total',
      type: 'counter',
      help: 'Objects that were removed because of the limit on the size or on the age',
      labelNames: ['reason'],
      read: () => removed('objects'),
    },
    {
      name: 'store_evicted_bytes_total',
      type: 'counter',
      help: 'Bytes of objects that were removed because of the limit on the size or on the age',
      labelNames: ['reason'],
      read: () => removed('bytes'),
    },
  ];
}
