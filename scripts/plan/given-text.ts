import { percent, showNumber, usd } from './figure.ts';
import type { Given } from './given.ts';
import type { Measurement } from './measure.ts';
import { layOut } from './table.ts';

export interface Said {
  /** Names of the options that the user gave, such as `unitsPerHour`; all else is measured or assumed. */
  options: ReadonlySet<string>;
  measurement: Measurement | undefined;
}

/** What the plan is made for, and who says so. */
export function describeGiven(given: Given, { options, measurement }: Said): string[] {
  const { widths, tiers, formats } = given.wanted;
  const variants = `${widths.join(', ')} px; ${tiers.join(', ')}; ${formats.join(', ')}`;
  const measured = measurement ? 'measured' : '';
  const measuredSize = measurement && options.has('photos') ? 'measured' : '';
  const rows: [string, string, name: string, option: string, source?: string][] = [
    ['units an hour', showNumber(given.unitsPerHour), 'unitsPerHour', '--units-per-hour'],
    ['images a unit', showNumber(given.imagesPerUnit), 'images', '--images'],
    ['CPU an image', `${showNumber(given.msPerImage)} ms`, 'ms', '--ms', measured],
    ['an original', `${showNumber(given.sourceKb)} KB`, 'sourceKb', '--source-kb', measuredSize],
    ['a variant', `${showNumber(given.variantKb)} KB`, 'variantKb', '--variant-kb', measuredSize],
    ['a worker', `${showNumber(given.memoryMb)} MB`, 'memory', '--memory', 'as the load needs'],
    ['messages a batch', showNumber(given.messagesPerBatch), 'batch', '--batch'],
    ['views an image', showNumber(given.viewsPerImage), 'views', '--views'],
    ['of these, the CDN has', percent(given.cdnHitShare).text, 'cdnHits', '--cdn-hits'],
    ['units purged one day', percent(given.purgedShare).text, 'purged', '--purged'],
    ['months kept', showNumber(given.monthsKept), 'months', '--months'],
    ['units that wait', showNumber(given.backlogUnits), 'backlog', '--backlog'],
    ['a GB out of the CDN', usd(given.usdPerGbOut).text, 'egressUsdPerGb', '--egress-usd-per-gb'],
    ['a GB of mobile data', usd(given.usdPerMobileGb).text, 'mobileUsdPerGb', '--mobile-usd-per-gb'],
  ];
  const lines = rows.map(([label, value, name, option, source = '']) => [
    label,
    value,
    options.has(name) ? option : `${option}, ${source || 'assumed'}`,
  ]);
  return layOut(
    [...lines, ['variants an image', '', `${variants} (PREWARM_WIDTHS, PREWARM_TIERS, PREWARM_FORMATS)`]],
    ['text', 'number', 'text'],
  );
}
