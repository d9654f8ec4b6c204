import { counted } from '../command/amounts.ts';
import { type Figure, figure, type Shown, total, usd } from './figure.ts';
import type { Given } from './given.ts';
import { HOURS_PER_MONTH, KB_PER_GB, MILLION, SECONDS_PER_HOUR } from './limits.ts';
import type { Load, Workers } from './load.ts';
import { PRICES } from './prices.ts';
import type { Purges } from './purges.ts';
import type { Queue } from './queue.ts';
import type { Store } from './store.ts';
import type { Views } from './views.ts';

/** In dollars an hour, and what that comes to. */
export interface CostLine extends Figure {
  usdPerMillionImages: number;
  usdPerMonth: number;
}

export interface Parts {
  load: Load;
  workers: Workers;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}

/** What an hour of this load costs, by what it is paid for. */
export function planCost(given: Given, parts: Parts) {
  const { imagesPerHour } = parts.load;
  const making = planMaking(given, parts);
  const keeping = {
    storage: cost(
      'storage',
    )`${imagesPerHour} images × ${parts.load.variantsPerImage} variants × ${given.variantKb} KB ÷ ${KB_PER_GB} × ${usd(PRICES.usdPerGbMonth)} × ${months(given.monthsKept)}`,
  };
  const viewing = planViewing(given, parts);
  const purging = planPurging(parts);
  const lines = {
    ...making,
    ...keeping,
    ...viewing,
    ...purging,
    total: sum('all together', [making.making, keeping.storage, viewing.viewing, purging.purging]),
  };
  const perImage = imagesPerHour.value;
  return Object.fromEntries(
    Object.entries(lines).map(([name, line]) => [
      name,
      {
        ...line,
        usdPerMillionImages: (line.value / perImage) * MILLION,
        usdPerMonth: line.value * HOURS_PER_MONTH,
      },
    ]),
  ) as Record<keyof typeof lines, CostLine>;
}

export type Cost = ReturnType<typeof planCost>;

function planMaking(given: Given, { load, workers, queue, store }: Parts) {
  const compute = cost(
    'compute',
  )`${load.imagesPerHour} images × ${workers.secondsPerImage} s ÷ ${workers.vcpus} vCPU × ${given.memoryMb} MB ÷ ${1024} × ${usd(PRICES.usdPerGbSecond)}`;
  const invocations = cost(
    'invocations',
  )`${queue.batchesPerHour} × ${usd(PRICES.usdPerMillionInvocations)} ÷ ${MILLION}`;
  const calls = cost('queue')`${queue.calls} calls × ${usd(PRICES.usdPerMillionQueueCalls)} ÷ ${MILLION}`;
  const puts = cost(
    'S3 puts, lists',
  )`${given.unitsPerHour} units × (${store.puts} + ${store.lists}) × ${usd(PRICES.usdPerMillionPuts)} ÷ ${MILLION}`;
  const gets = cost(
    'S3 gets',
  )`${given.unitsPerHour} units × ${store.gets} × ${usd(PRICES.usdPerMillionGets)} ÷ ${MILLION}`;
  return {
    compute,
    invocations,
    calls,
    puts,
    gets,
    making: sum('making', [compute, invocations, calls, puts, gets]),
  };
}

function planViewing(given: Given, { views }: Parts) {
  const requests = cost(
    'CloudFront requests',
  )`${views.viewsPerHour} views × ${usd(PRICES.usdPerMillionViews)} ÷ ${MILLION}`;
  const edge = cost(
    'CloudFront Function',
  )`${views.viewsPerHour} views × ${usd(PRICES.usdPerMillionEdgeRuns)} ÷ ${MILLION}`;
  const egress = cost('bytes out')`${views.outGbPerHour} GB × ${usd(given.usdPerGbOut)}`;
  const fromStore = cost(
    'S3 gets of the CDN',
  )`${views.fromStorePerSecond} views/s × ${SECONDS_PER_HOUR} s × ${usd(PRICES.usdPerMillionGets)} ÷ ${MILLION}`;
  return { requests, edge, egress, fromStore, viewing: sum('viewing', [requests, edge, egress, fromStore]) };
}

function planPurging({ purges }: Parts) {
  const tags = cost(
    'invalidations',
  )`${purges.paidTagsPerMonth} tags a month ÷ ${HOURS_PER_MONTH} h × ${usd(PRICES.usdPerTag)}`;
  const requests = cost(
    'S3 requests of purges',
  )`(${purges.putsAndListsPerHour} puts, lists × ${usd(PRICES.usdPerMillionPuts)} + ${purges.purgedPerHour} purges × ${purges.getsPerPurge} gets × ${usd(PRICES.usdPerMillionGets)}) ÷ ${MILLION}`;
  return { tags, purgeRequests: requests, purging: sum('purging', [tags, requests]) };
}

function months(value: number): Shown {
  return { value, text: counted(value, 'month') };
}

function cost(label: string) {
  return figure(label, '$');
}

function sum(label: string, figures: readonly Figure[]): Figure {
  return total(label, '$', figures);
}
