import { figure, percent } from './figure.ts';
import type { Given } from './given.ts';
import { HOURS_PER_MONTH, LIMITS, SECONDS_PER_HOUR } from './limits.ts';
import { PRICES } from './prices.ts';
import type { UnitRequests } from './unit-requests.ts';

/** How often the worker looks for what work that died left behind of purged units: every ten minutes. */
const SWEEPS_PER_HOUR = 6;
/** A sweep looks at each unit that was purged in the hour before the last one, and since. */
const SWEEPS_PER_PURGE = 7;
/** How long a mark stays, so that it outlives every message. */
const MARK_HOURS = 15 * 24;

/** What it takes to make units disappear, at the pace at which they come. `src/unit/purge.ts` and `purge-sweep.ts` do it. */
export function planPurges(given: Given, { objects }: UnitRequests) {
  const purgedPerHour = figure('purged an hour')`${given.unitsPerHour} units × ${percent(given.purgedShare)}`;
  const purgedPerSecond = figure('purged a second')`${purgedPerHour} ÷ ${SECONDS_PER_HOUR} s`;
  const tagsPerMonth = figure(
    'cache tags a month',
  )`${purgedPerHour} units × ${HOURS_PER_MONTH} h, a tag each`;
  const free = Math.min(tagsPerMonth.value, PRICES.freeTagsPerMonth);
  const tagsPerSecond = figure(
    'the CDN forgets a second, at most',
  )`${LIMITS.tagsInFlight} tags at once ÷ ${LIMITS.invalidationSeconds} s`;
  const marksLabel = 'lists of marks a sweep';
  const pagesPerSweep =
    purgedPerHour.value === 0
      ? figure(marksLabel)`${1}`
      : figure(
          marksLabel,
        )`⌈${purgedPerHour} purges × ${MARK_HOURS} h that marks stay ÷ ${LIMITS.keysPerList} a list⌉`;
  const listsPerPurge = figure(
    'lists a purge',
  )`⌈${objects} objects ÷ ${LIMITS.keysPerList}⌉ + ${SWEEPS_PER_PURGE} sweeps`;
  return {
    purgedPerHour,
    purgedPerSecond,
    tagsPerMonth,
    paidTagsPerMonth: figure('of these, paid for')`${tagsPerMonth} − ${free} free`,
    tagsPerSecond,
    secondsPerHourOfPurges: figure(
      "the CDN forgets an hour's in",
      's',
    )`${purgedPerHour} tags ÷ ${tagsPerSecond} a second`,
    tagsInFlight: figure(
      'tags at the CDN at once',
    )`${purgedPerSecond} a second × ${LIMITS.invalidationSeconds} s`,
    putsPerPurge: figure('puts a purge')`${1} mark`,
    getsPerPurge: figure(
      'gets a purge',
    )`${2} of the manifest + ${1} of the mark + ${SWEEPS_PER_PURGE} sweeps × (${1} head + ${1} get)`,
    listsPerPurge,
    pagesPerSweep,
    secondsPerPage: figure(
      'a list of a sweep may take',
      's',
    )`${LIMITS.functionSeconds} s of a function ÷ ${pagesPerSweep} lists, one after another`,
    putsAndListsPerHour: figure(
      'puts and lists an hour',
    )`${purgedPerHour} purges × (${1} put + ${listsPerPurge} lists) + ${SWEEPS_PER_HOUR} sweeps × ${pagesPerSweep}`,
  };
}

export type Purges = ReturnType<typeof planPurges>;
