import { figure } from './figure.ts';
import type { Given } from './given.ts';
import { HOURS_PER_MONTH, KB_PER_GB, LIMITS } from './limits.ts';
import type { Load } from './load.ts';
import type { Purges } from './purges.ts';
import type { Views } from './views.ts';

/**
 * What prewarming a unit for the first time asks of S3, as the code does it (`src/unit/units.ts`, `prewarm.ts`, `survey.ts`,
 * `src/variant/make-variants.ts`): a test counts. A unit that is sent again costs a head for each variant in place of the put.
 * An original in S3 is one more get.
 */
export function planUnitRequests({ imagesPerUnit }: Given, { variantsPerImage }: Load) {
  const objects = figure(
    'objects a unit',
  )`${1} manifest + ${imagesPerUnit} images × ${variantsPerImage} variants`;
  const looks = figure(
    'looks at the purge mark a unit',
  )`${2} when it is taken in + ${1} before the work + ${imagesPerUnit}, one after the puts of each image`;
  return {
    objects,
    puts: figure('puts a unit')`${objects} objects × ${1}`,
    lists: figure('lists a unit')`${1}, to see what is there`,
    looks,
    gets: figure('gets a unit')`${looks} looks + ${1} manifest`,
  };
}

export type UnitRequests = ReturnType<typeof planUnitRequests>;

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
