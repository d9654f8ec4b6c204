import { counted } from '../cli/text.ts';
import { calculateCompute } from './containers.ts';
import { calculateEgress } from './egress.ts';
import { dollars, type Figure, formatPrice, show, totalDollars } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { BYTES_PER_GB, HOURS_PER_MONTH, KB_PER_GB, MILLION, SECONDS_PER_HOUR } from './limits.ts';
import type { Load, Workers } from './load.ts';
import type { Queue } from './queue.ts';
import type { Purges, Store } from './requests.ts';
import type { Views } from './views.ts';

/** The lines START, END and REPORT of an invocation, as Lambda's documentation shows them. */
const LAMBDA_LOG_BYTES = 320;

/** Dollars an hour, and the same for a million images and a month. */
export interface CostLine extends Figure {
  usdPerMillionImages: number;
  usdPerMonth: number;
}

interface CostParts {
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
  const purges = purgeCost(inputs, parts.purges);
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
  const { unitsPerHour, containers, prices } = inputs;
  const { imagesPerHour } = load;
  const { compute, waiting } = calculateCompute(inputs, imagesPerHour, workers, containers ?? 'lambda');
  const invocations = containers
    ? dollars('invocations', 0, '0, since containers take messages themselves')
    : perMillion('invocations', queue.batchesPerHour, prices.usdPerMillionInvocations);
  const calls = perMillion('queue', queue.calls, prices.usdPerMillionQueueCalls, 'calls');
  const puts = dollars(
    'S3 puts, lists',
    (unitsPerHour * (store.puts.value + store.lists.value) * prices.usdPerMillionPuts) / MILLION,
    `${show(unitsPerHour)} units × (${show(store.puts)} + ${show(store.lists)}) × ${formatPrice(prices.usdPerMillionPuts)} ÷ ${show(MILLION)}`,
  );
  const gets = dollars(
    'S3 gets',
    (unitsPerHour * store.gets.value * prices.usdPerMillionGets) / MILLION,
    `${show(unitsPerHour)} units × ${show(store.gets)} × ${formatPrice(prices.usdPerMillionGets)} ÷ ${show(MILLION)}`,
  );
  const logs = logCost(inputs, imagesPerHour, queue);
  const making = totalDollars('making', [compute, waiting, invocations, calls, puts, gets, logs]);
  return { compute, waiting, invocations, calls, puts, gets, logs, making };
}

/** What CloudWatch Logs takes in: a line for each image, and Lambda's own three for each invocation. */
function logCost(
  { logBytesPerImage, containers, prices }: PlanInputs,
  imagesPerHour: Figure,
  { batchesPerHour }: Queue,
): Figure {
  const perInvocation = containers ? 0 : LAMBDA_LOG_BYTES;
  const bytes = imagesPerHour.value * logBytesPerImage + batchesPerHour.value * perInvocation;
  return dollars(
    'logs',
    (bytes / BYTES_PER_GB) * prices.usdPerGbOfLogs,
    `(${show(imagesPerHour)} images × ${show(logBytesPerImage)} bytes + ${show(batchesPerHour)} invocations × ${show(perInvocation)} bytes) ÷ ${show(BYTES_PER_GB)} × ${formatPrice(prices.usdPerGbOfLogs)}`,
  );
}

/** Variants of an hour's images, for as long as they are kept. */
function storageCost(
  { variantKb, monthsKept, prices }: PlanInputs,
  { imagesPerHour, variantsPerImage }: Load,
) {
  const gb = (imagesPerHour.value * variantsPerImage.value * variantKb) / KB_PER_GB;
  return dollars(
    'storage',
    gb * prices.usdPerGbMonth * monthsKept,
    `${show(imagesPerHour)} images × ${show(variantsPerImage)} variants × ${show(variantKb)} KB ÷ ${show(KB_PER_GB)} × ${formatPrice(prices.usdPerGbMonth)} × ${counted(monthsKept, 'month')}`,
  );
}

function viewCost(inputs: PlanInputs, views: Views) {
  const { prices } = inputs;
  const { viewsPerHour, outGbPerHour, fromStorePerSecond, usdPerMillionViews } = views;
  const requests = perMillion('CloudFront requests', viewsPerHour, usdPerMillionViews.value, 'views');
  const edge = perMillion('CloudFront Function', viewsPerHour, prices.usdPerMillionEdgeRuns, 'views');
  const keys = perMillion('its reads of keys', viewsPerHour, prices.usdPerMillionKeyReads, 'views');
  const { egress } = calculateEgress(inputs, outGbPerHour);
  const fromStore = dollars(
    'S3 gets of the CDN',
    (fromStorePerSecond.value * SECONDS_PER_HOUR * prices.usdPerMillionGets) / MILLION,
    `${show(fromStorePerSecond)} views/s × ${show(SECONDS_PER_HOUR)} s × ${formatPrice(prices.usdPerMillionGets)} ÷ ${show(MILLION)}`,
  );
  const viewing = totalDollars('viewing', [requests, edge, keys, egress, fromStore]);
  return { requests, edge, keys, egress, fromStore, viewing };
}

function purgeCost(
  { prices }: PlanInputs,
  { paidTagsPerMonth, putsAndListsPerHour, purgedPerHour, getsPerPurge }: Purges,
) {
  const tags = dollars(
    'invalidations',
    (paidTagsPerMonth.value / HOURS_PER_MONTH) * prices.usdPerTag,
    `${show(paidTagsPerMonth)} tags a month ÷ ${show(HOURS_PER_MONTH)} h × ${formatPrice(prices.usdPerTag)}`,
  );
  const millionthsOfUsd =
    putsAndListsPerHour.value * prices.usdPerMillionPuts +
    purgedPerHour.value * getsPerPurge.value * prices.usdPerMillionGets;
  const purgeRequests = dollars(
    'S3 requests of purges',
    millionthsOfUsd / MILLION,
    `(${show(putsAndListsPerHour)} puts, lists × ${formatPrice(prices.usdPerMillionPuts)} + ${show(purgedPerHour)} purges × ${show(getsPerPurge)} gets × ${formatPrice(prices.usdPerMillionGets)}) ÷ ${show(MILLION)}`,
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
