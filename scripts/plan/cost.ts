import { counted } from '../cli/text.ts';
import { dollars, type Figure, formatPrice, show, totalDollars } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import type { Load, Workers } from './load.ts';
import { HOURS_PER_MONTH, KB_PER_GB, MILLION, PRICES, SECONDS_PER_HOUR } from './prices-and-limits.ts';
import type { Queue } from './queue.ts';
import type { Purges, Store } from './requests.ts';
import type { Views } from './views.ts';

/** Dollars an hour, and the same for a million images and a month. */
export interface CostLine extends Figure {
  usdPerMillionImages: number;
  usdPerMonth: number;
}

export interface CostParts {
  load: Load;
  workers: Workers;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}

/** The cost of an hour of this load, a line for each thing that AWS charges for. */
export function calculateCost(inputs: PlanInputs, parts: CostParts) {
  const prewarm = prewarmCost(inputs, parts);
  const storage = storageCost(inputs, parts.load);
  const views = viewCost(inputs, parts.views);
  const purges = purgeCost(parts.purges);
  const lines = {
    ...prewarm,
    storage,
    ...views,
    ...purges,
    total: totalDollars('total', [prewarm.making, storage, views.viewing, purges.purging]),
  };
  const imagesPerHour = parts.load.imagesPerHour.value;
  const withTotals = Object.entries(lines).map(([name, line]): [string, CostLine] => {
    const usdPerMillionImages = (line.value / imagesPerHour) * MILLION;
    return [name, { ...line, usdPerMillionImages, usdPerMonth: line.value * HOURS_PER_MONTH }];
  });
  return Object.fromEntries(withTotals) as Record<keyof typeof lines, CostLine>;
}

export type Cost = ReturnType<typeof calculateCost>;

function prewarmCost(inputs: PlanInputs, { load, workers, queue, store }: CostParts) {
  const { unitsPerHour, memoryMb } = inputs;
  const { imagesPerHour } = load;
  const { secondsPerImage, vcpus } = workers;
  const compute = dollars(
    'compute',
    ((((imagesPerHour.value * secondsPerImage.value) / vcpus.value) * memoryMb) / 1024) *
      PRICES.usdPerGbSecond,
    `${show(imagesPerHour)} images × ${show(secondsPerImage)} s ÷ ${show(vcpus)} vCPU × ${show(memoryMb)} MB ÷ 1,024 × ${formatPrice(PRICES.usdPerGbSecond)}`,
  );
  const invocations = perMillion('invocations', queue.batchesPerHour, PRICES.usdPerMillionInvocations);
  const calls = perMillion('queue', queue.calls, PRICES.usdPerMillionQueueCalls, 'calls');
  const puts = dollars(
    'S3 puts, lists',
    (unitsPerHour * (store.puts.value + store.lists.value) * PRICES.usdPerMillionPuts) / MILLION,
    `${show(unitsPerHour)} units × (${show(store.puts)} + ${show(store.lists)}) × ${formatPrice(PRICES.usdPerMillionPuts)} ÷ ${show(MILLION)}`,
  );
  const gets = dollars(
    'S3 gets',
    (unitsPerHour * store.gets.value * PRICES.usdPerMillionGets) / MILLION,
    `${show(unitsPerHour)} units × ${show(store.gets)} × ${formatPrice(PRICES.usdPerMillionGets)} ÷ ${show(MILLION)}`,
  );
  const making = totalDollars('making', [compute, invocations, calls, puts, gets]);
  return { compute, invocations, calls, puts, gets, making };
}

/** Variants of an hour's images, for as long as they are kept. */
function storageCost({ variantKb, monthsKept }: PlanInputs, { imagesPerHour, variantsPerImage }: Load) {
  const gb = (imagesPerHour.value * variantsPerImage.value * variantKb) / KB_PER_GB;
  return dollars(
    'storage',
    gb * PRICES.usdPerGbMonth * monthsKept,
    `${show(imagesPerHour)} images × ${show(variantsPerImage)} variants × ${show(variantKb)} KB ÷ ${show(KB_PER_GB)} × ${formatPrice(PRICES.usdPerGbMonth)} × ${counted(monthsKept, 'month')}`,
  );
}

function viewCost({ usdPerGbOut }: PlanInputs, views: Views) {
  const { viewsPerHour, outGbPerHour, fromStorePerSecond } = views;
  const requests = perMillion('CloudFront requests', viewsPerHour, PRICES.usdPerMillionViews, 'views');
  const edge = perMillion('CloudFront Function', viewsPerHour, PRICES.usdPerMillionEdgeRuns, 'views');
  const egress = dollars(
    'bytes out',
    outGbPerHour.value * usdPerGbOut,
    `${show(outGbPerHour)} GB × ${formatPrice(usdPerGbOut)}`,
  );
  const fromStore = dollars(
    'S3 gets of the CDN',
    (fromStorePerSecond.value * SECONDS_PER_HOUR * PRICES.usdPerMillionGets) / MILLION,
    `${show(fromStorePerSecond)} views/s × ${show(SECONDS_PER_HOUR)} s × ${formatPrice(PRICES.usdPerMillionGets)} ÷ ${show(MILLION)}`,
  );
  const viewing = totalDollars('viewing', [requests, edge, egress, fromStore]);
  return { requests, edge, egress, fromStore, viewing };
}

function purgeCost({ paidTagsPerMonth, putsAndListsPerHour, purgedPerHour, getsPerPurge }: Purges) {
  const tags = dollars(
    'invalidations',
    (paidTagsPerMonth.value / HOURS_PER_MONTH) * PRICES.usdPerTag,
    `${show(paidTagsPerMonth)} tags a month ÷ ${show(HOURS_PER_MONTH)} h × ${formatPrice(PRICES.usdPerTag)}`,
  );
  const millionthsOfUsd =
    putsAndListsPerHour.value * PRICES.usdPerMillionPuts +
    purgedPerHour.value * getsPerPurge.value * PRICES.usdPerMillionGets;
  const purgeRequests = dollars(
    'S3 requests of purges',
    millionthsOfUsd / MILLION,
    `(${show(putsAndListsPerHour)} puts, lists × ${formatPrice(PRICES.usdPerMillionPuts)} + ${show(purgedPerHour)} purges × ${show(getsPerPurge)} gets × ${formatPrice(PRICES.usdPerMillionGets)}) ÷ ${show(MILLION)}`,
  );
  return { tags, purgeRequests, purging: totalDollars('purging', [tags, purgeRequests]) };
}

/** So many of something that is charged by the million. */
function perMillion(label: string, count: Figure, price: number, what = ''): Figure {
  return dollars(
    label,
    (count.value * price) / MILLION,
    `${show(count)} ${what && `${what} `}× ${formatPrice(price)} ÷ ${show(MILLION)}`,
  );
}
