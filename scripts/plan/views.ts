import { calculateEgress, calculateViewPrice } from './egress.ts';
import { dollars, type Figure, figure, formatPercent, formatPrice, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { KB_PER_GB, SECONDS_PER_HOUR } from './limits.ts';
import type { Load } from './load.ts';

/** Views at the rate at which images are made, their bytes, and the bytes of the originals that they replace. */
export function calculateViews(inputs: PlanInputs, { imagesPerHour }: Load) {
  const viewsPerHour = figure(
    'views an hour',
    imagesPerHour.value * inputs.viewsPerImage,
    `${show(imagesPerHour)} images × ${show(inputs.viewsPerImage)} views`,
  );
  const viewsPerSecond = figure(
    'views a second',
    viewsPerHour.value / SECONDS_PER_HOUR,
    `${show(viewsPerHour)} ÷ ${show(SECONDS_PER_HOUR)} s`,
  );
  const gbPerHour = (label: string, kb: number) =>
    figure(
      label,
      (viewsPerHour.value * kb) / KB_PER_GB,
      `${show(viewsPerHour)} views × ${show(kb)} KB ÷ ${show(KB_PER_GB)}`,
      'GB',
    );
  const outGbPerHour = gbPerHour('out of the CDN an hour', inputs.variantKb);
  const originalsGbPerHour = gbPerHour('the same images as originals', inputs.sourceKb);
  const sparedGbPerHour = figure(
    'saved an hour',
    originalsGbPerHour.value - outGbPerHour.value,
    `${show(originalsGbPerHour)} GB − ${show(outGbPerHour)} GB`,
    'GB',
  );
  const { usdPerNextGb } = calculateEgress(inputs, outGbPerHour);
  const sparedUsd = (label: string, price: Figure | number) => {
    const usd = typeof price === 'number' ? price : price.value;
    const shown = typeof price === 'number' ? formatPrice(price) : show(price);
    return dollars(label, sparedGbPerHour.value * usd, `${show(sparedGbPerHour)} GB × ${shown}`);
  };
  return {
    viewsPerHour,
    viewsPerSecond,
    fromStorePerSecond: figure(
      'of these, S3 answers',
      viewsPerSecond.value * (1 - inputs.cdnHitShare),
      `${show(viewsPerSecond)} views/s × (100% − ${formatPercent(inputs.cdnHitShare)} hits)`,
    ),
    outGbPerHour,
    gigabitsPerSecond: figure(
      'out of the CDN',
      (outGbPerHour.value * 8) / SECONDS_PER_HOUR,
      `${show(outGbPerHour)} GB × 8 bits ÷ ${show(SECONDS_PER_HOUR)} s`,
      'Gbit/s',
    ),
    originalsGbPerHour,
    sparedGbPerHour,
    usdPerMillionViews: calculateViewPrice(inputs),
    usdPerNextGb,
    sparedUsdPerHour: sparedUsd('saved in CDN traffic, an hour', usdPerNextGb),
    contractorsUsdPerHour: sparedUsd('saved for contractors, an hour', inputs.usdPerMobileGb),
  };
}

export type Views = ReturnType<typeof calculateViews>;
