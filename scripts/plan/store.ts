import { figure } from './figure.ts';
import type { Given } from './given.ts';
import { HOURS_PER_MONTH, KB_PER_GB, LIMITS } from './limits.ts';
import type { Load } from './load.ts';
import type { Purges } from './purges.ts';
import type { UnitRequests } from './unit-requests.ts';
import type { Views } from './views.ts';

/** What S3 has to bear, and to keep. */
export function planStore(
  given: Given,
  load: Load,
  { unit, purges, views }: { unit: UnitRequests; purges: Purges; views: Views },
) {
  const { unitsPerSecond } = load;
  const { purgedPerSecond } = purges;
  const writesPerSecond = figure(
    'writes a second',
  )`${unitsPerSecond} units/s × ${unit.puts} puts + ${purgedPerSecond} purges/s × (${unit.objects} deletes + ${purges.putsPerPurge} put)`;
  const readsPerSecond = figure(
    'reads a second',
  )`${unitsPerSecond} units/s × (${unit.gets} gets + ${unit.lists} list) + ${purgedPerSecond} purges/s × (${purges.getsPerPurge} gets + ${purges.listsPerPurge} lists) + ${views.fromStorePerSecond} views/s`;
  return {
    ...unit,
    writesPerSecond,
    readsPerSecond,
    partitionsForWrites: figure(
      'partitions for writes',
    )`⌈${writesPerSecond} writes/s ÷ ${LIMITS.writesPerSecond}⌉`,
    partitionsForReads: figure(
      'partitions for reads',
    )`⌈${readsPerSecond} reads/s ÷ ${LIMITS.readsPerSecond}⌉`,
    markReadsPerSecond: figure(
      'of the reads, below purged/',
    )`${unitsPerSecond} units/s × ${unit.looks} looks`,
    gbPerMonth: figure(
      "a month's variants",
      'GB',
    )`${load.imagesPerHour} images × ${HOURS_PER_MONTH} h × ${load.variantsPerImage} variants × ${given.variantKb} KB ÷ ${KB_PER_GB}`,
  };
}

export type Store = ReturnType<typeof planStore>;
