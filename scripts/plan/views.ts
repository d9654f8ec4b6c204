import { figure, percent, usd } from './figure.ts';
import type { Given } from './given.ts';
import { KB_PER_GB, SECONDS_PER_HOUR } from './limits.ts';
import type { Load } from './load.ts';

/** What contractors look at, at the pace at which images come, and what it would be without the service. */
export function planViews(given: Given, { imagesPerHour }: Load) {
  const viewsPerHour = figure('views an hour')`${imagesPerHour} images × ${given.viewsPerImage} views`;
  const viewsPerSecond = figure('views a second')`${viewsPerHour} ÷ ${SECONDS_PER_HOUR} s`;
  const outGbPerHour = figure(
    'out of the CDN an hour',
    'GB',
  )`${viewsPerHour} views × ${given.variantKb} KB ÷ ${KB_PER_GB}`;
  const originalsGbPerHour = figure(
    'the same as originals',
    'GB',
  )`${viewsPerHour} views × ${given.sourceKb} KB ÷ ${KB_PER_GB}`;
  const sparedGbPerHour = figure('spared an hour', 'GB')`${originalsGbPerHour} GB − ${outGbPerHour} GB`;
  return {
    viewsPerHour,
    viewsPerSecond,
    fromStorePerSecond: figure(
      'of these, S3 answers',
    )`${viewsPerSecond} views/s × (${percent(1)} − ${percent(given.cdnHitShare)} hits)`,
    outGbPerHour,
    gigabitsPerSecond: figure(
      'out of the CDN',
      'Gbit/s',
    )`${outGbPerHour} GB × ${8} bits ÷ ${SECONDS_PER_HOUR} s`,
    originalsGbPerHour,
    sparedGbPerHour,
    sparedUsdPerHour: figure('to you, an hour', '$')`${sparedGbPerHour} GB × ${usd(given.usdPerGbOut)}`,
    contractorsUsdPerHour: figure(
      'to contractors, an hour',
      '$',
    )`${sparedGbPerHour} GB × ${usd(given.usdPerMobileGb)}`,
  };
}

export type Views = ReturnType<typeof planViews>;
