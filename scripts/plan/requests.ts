import { UNIT_STATES } from '../../src/protocol/keys.ts';
import { figure, formatPercent, roundUp, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { HOURS_PER_MONTH, KB_PER_GB, LIMITS, SECONDS_PER_HOUR } from './limits.ts';
import type { Load } from './load.ts';
import type { Views } from './views.ts';

/** Every ten minutes the worker deletes what crashed work has left behind for purged units. */
const SWEEPS_PER_HOUR = 6;
/** A sweep checks every unit that was purged since one hour before the previous sweep, so each purge is part of seven sweeps. */
const SWEEPS_PER_PURGE = 7;
/** How long a tombstone is kept: longer than any message lives. */
const TOMBSTONE_HOURS = 15 * 24;

/**
 * S3 requests to prewarm a unit for the first time, as the code makes them (`src/unit/units.ts`, `prewarm.ts`, `inventory.ts`,
 * `src/variant/make-variants.ts`): `test/scripts/plan/requests.test.ts` counts them. For a unit that is sent again each variant
 * takes a head in place of the put. An original in S3 takes one more get.
 */
export function calculateUnitRequests({ imagesPerUnit }: PlanInputs, { variantsPerImage }: Load) {
  const objects = figure(
    'objects a unit',
    1 + imagesPerUnit * variantsPerImage.value,
    `1 manifest + ${show(imagesPerUnit)} images × ${show(variantsPerImage)} variants`,
  );
  const looks = figure(
    'tombstone checks a unit',
    2 + 1 + imagesPerUnit + 1,
    `2 before the work + 1 after the put of the manifest + ${show(imagesPerUnit)}, one after the puts of each image + 1 after the mark`,
  );
  const getsOfSweep = figure(
    'gets a unit at the sweep of its pack',
    1 + 1 + 1,
    '1 mark of its state + 1 tombstone check + 1 of the manifest',
  );
  return {
    objects,
    getsOfSweep,
    puts: figure('puts a unit', objects.value + 1, `${show(objects)} objects + 1 mark of its state`),
    lists: figure('lists a unit', 1, '1, to find what is stored'),
    looks,
    gets: figure(
      'gets a unit',
      looks.value + 2 + 2 + getsOfSweep.value,
      `${show(looks)} tombstone checks + 2 of the manifest, before the work and before its result is marked + 2 marks of its state + ${show(getsOfSweep)} at the sweep of its pack`,
    ),
  };
}

export type UnitRequests = ReturnType<typeof calculateUnitRequests>;

/** Requests to purge units at the rate at which they come, as `src/purge/purge.ts` and `sweep.ts` make them. */
export function calculatePurges(inputs: PlanInputs, { objects }: UnitRequests) {
  const purgedPerHour = figure(
    'purged an hour',
    inputs.unitsPerHour * inputs.purgedShare,
    `${show(inputs.unitsPerHour)} units × ${formatPercent(inputs.purgedShare)}`,
  );
  const purgedPerSecond = figure(
    'purged a second',
    purgedPerHour.value / SECONDS_PER_HOUR,
    `${show(purgedPerHour)} ÷ ${show(SECONDS_PER_HOUR)} s`,
  );
  const listsPerPurge = figure(
    'lists a purge',
    roundUp(objects.value / LIMITS.keysPerList) + SWEEPS_PER_PURGE,
    `⌈${show(objects)} objects ÷ ${show(LIMITS.keysPerList)}⌉ + ${SWEEPS_PER_PURGE} sweeps`,
  );
  const pagesPerSweep =
    purgedPerHour.value === 0
      ? figure('tombstone lists a sweep', 1, '1')
      : figure(
          'tombstone lists a sweep',
          roundUp((purgedPerHour.value * TOMBSTONE_HOURS) / LIMITS.keysPerList),
          `⌈${show(purgedPerHour)} purges × ${TOMBSTONE_HOURS} h that tombstones are kept ÷ ${show(LIMITS.keysPerList)} a list⌉`,
        );
  return {
    purgedPerHour,
    purgedPerSecond,
    ...calculateInvalidations(purgedPerHour.value, purgedPerSecond.value),
    putsPerPurge: figure(
      'puts a purge',
      2,
      '1 tombstone + 1 time of the last purge, which purges at the same moment share',
    ),
    getsPerPurge: figure(
      'gets a purge',
      2 + 1 + 1 + UNIT_STATES.length + SWEEPS_PER_PURGE * (1 + 1 + UNIT_STATES.length),
      `2 of the manifest + 1 of the tombstone + 1 of the time of the last purge + ${UNIT_STATES.length} of marks + ${SWEEPS_PER_PURGE} sweeps × (1 head + 1 get + ${UNIT_STATES.length} of marks)`,
    ),
    listsPerPurge,
    pagesPerSweep,
    secondsPerPage: figure(
      'time for each list of a sweep',
      LIMITS.functionSeconds / pagesPerSweep.value,
      `${show(LIMITS.functionSeconds)} s of a function ÷ ${show(pagesPerSweep)} lists, one after another`,
      's',
    ),
    putsAndListsPerHour: figure(
      'puts and lists an hour',
      purgedPerHour.value * (2 + listsPerPurge.value) + SWEEPS_PER_HOUR * pagesPerSweep.value,
      `${show(purgedPerHour)} purges × (2 puts + ${show(listsPerPurge)} lists) + ${SWEEPS_PER_HOUR} sweeps × ${show(pagesPerSweep)}`,
    ),
  };
}

export type Purges = ReturnType<typeof calculatePurges>;

/** A purged unit is one cache tag to invalidate at CloudFront. */
function calculateInvalidations(purgedPerHour: number, purgedPerSecond: number) {
  const tagsPerMonth = figure(
    'cache tags a month',
    purgedPerHour * HOURS_PER_MONTH,
    `${show(purgedPerHour)} units × ${show(HOURS_PER_MONTH)} h, a tag each`,
  );
  const free = Math.min(tagsPerMonth.value, LIMITS.freeTagsPerMonth);
  const tagsPerSecond = figure(
    'invalidated a second, at most',
    LIMITS.tagsInFlight / LIMITS.invalidationSeconds,
    `${show(LIMITS.tagsInFlight)} tags in flight ÷ ${show(LIMITS.invalidationSeconds)} s`,
  );
  return {
    tagsPerMonth,
    paidTagsPerMonth: figure(
      'of these, charged',
      tagsPerMonth.value - free,
      `${show(tagsPerMonth)} − ${show(free)} free`,
    ),
    tagsPerSecond,
    secondsPerHourOfPurges: figure(
      "time to invalidate an hour's",
      purgedPerHour / tagsPerSecond.value,
      `${show(purgedPerHour)} tags ÷ ${show(tagsPerSecond)} a second`,
      's',
    ),
    tagsInFlight: figure(
      'tags being invalidated',
      purgedPerSecond * LIMITS.invalidationSeconds,
      `${show(purgedPerSecond)} a second × ${show(LIMITS.invalidationSeconds)} s`,
    ),
  };
}

/** The request rates that S3 has to carry, its partitions, and the bytes that it keeps. */
export function calculateStore(
  inputs: PlanInputs,
  { imagesPerHour, unitsPerSecond, variantsPerImage }: Load,
  { unit, purges, views }: { unit: UnitRequests; purges: Purges; views: Views },
) {
  const units = unitsPerSecond.value;
  const purged = purges.purgedPerSecond.value;
  const writesPerSecond = figure(
    'writes a second',
    units * unit.puts.value + purged * (unit.objects.value + purges.putsPerPurge.value),
    `${show(unitsPerSecond)} units/s × ${show(unit.puts)} puts + ${show(purged)} purges/s × (${show(unit.objects)} deletes + ${show(purges.putsPerPurge)} puts)`,
  );
  const readsPerSecond = figure(
    'reads a second',
    units * (unit.gets.value + unit.lists.value) +
      purged * (purges.getsPerPurge.value + purges.listsPerPurge.value) +
      views.fromStorePerSecond.value,
    `${show(unitsPerSecond)} units/s × (${show(unit.gets)} gets + ${show(unit.lists)} list) + ${show(purged)} purges/s × (${show(purges.getsPerPurge)} gets + ${show(purges.listsPerPurge)} lists) + ${show(views.fromStorePerSecond)} views/s`,
  );
  return {
    ...unit,
    writesPerSecond,
    readsPerSecond,
    partitionsForWrites: figure(
      'partitions for writes',
      roundUp(writesPerSecond.value / LIMITS.writesPerSecond),
      `⌈${show(writesPerSecond)} writes/s ÷ ${show(LIMITS.writesPerSecond)}⌉`,
    ),
    partitionsForReads: figure(
      'partitions for reads',
      roundUp(readsPerSecond.value / LIMITS.readsPerSecond),
      `⌈${show(readsPerSecond)} reads/s ÷ ${show(LIMITS.readsPerSecond)}⌉`,
    ),
    markReadsPerSecond: figure(
      'of the reads, tombstone checks',
      units * unit.looks.value,
      `${show(unitsPerSecond)} units/s × ${show(unit.looks)} tombstone checks`,
    ),
    gbPerMonth: figure(
      "a month's variants",
      (imagesPerHour.value * HOURS_PER_MONTH * variantsPerImage.value * inputs.variantKb) / KB_PER_GB,
      `${show(imagesPerHour)} images × ${show(HOURS_PER_MONTH)} h × ${show(variantsPerImage)} variants × ${show(inputs.variantKb)} KB ÷ ${show(KB_PER_GB)}`,
      'GB',
    ),
  };
}

export type Store = ReturnType<typeof calculateStore>;
