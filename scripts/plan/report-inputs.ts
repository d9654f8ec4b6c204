import { formatTable } from '../cli/text.ts';
import { sharesOf } from './egress.ts';
import { formatNumber, formatPercent, formatPrice } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import type { Measurement } from './measure.ts';

/** Each input with its value and where it comes from: the option, a measurement, or an assumption. */
export function inputLines(
  inputs: PlanInputs,
  { givenOptions, measurement }: { givenOptions: ReadonlySet<string>; measurement: Measurement | undefined },
): string[] {
  const { widths, tiers, formats } = inputs.wanted;
  const variants = `${widths.join(', ')} px; ${tiers.join(', ')}; ${formats.join(', ')}`;
  const measured = measurement ? 'measured' : 'assumed for the effort and the variants of the stack';
  const ofStack = 'of the stack';
  const measuredSize = measurement && givenOptions.has('photos') ? 'measured' : 'assumed';
  const rows: [label: string, value: string, name: string, option: string, otherwise?: string][] = [
    [
      'units an hour',
      formatNumber(inputs.unitsPerHour),
      'unitsPerHour',
      '--units-per-hour',
      "as many as the stack's workers make",
    ],
    ['images a unit', formatNumber(inputs.imagesPerUnit), 'images', '--images'],
    ['CPU an image', `${formatNumber(inputs.msPerImage)} ms`, 'ms', '--ms', measured],
    ['an original', `${formatNumber(inputs.sourceKb)} KB`, 'sourceKb', '--source-kb', measuredSize],
    ['a variant', `${formatNumber(inputs.variantKb)} KB`, 'variantKb', '--variant-kb', measuredSize],
    [
      'a worker',
      `${formatNumber(inputs.memoryMb)} MB`,
      'memory',
      '--memory',
      'of the stack, or as the load needs',
    ],
    ['an original takes', `${formatNumber(inputs.fetchMs)} ms to fetch`, 'fetchMs', '--fetch-ms'],
    ['messages a batch', formatNumber(inputs.messagesPerBatch), 'batch', '--batch', ofStack],
    ['views an image', formatNumber(inputs.viewsPerImage), 'views', '--views'],
    ['of these, CDN hits', formatPercent(inputs.cdnHitShare), 'cdnHits', '--cdn-hits'],
    ['units purged some day', formatPercent(inputs.purgedShare), 'purged', '--purged'],
    ['months kept', formatNumber(inputs.monthsKept), 'months', '--months'],
    ['units in the backlog', formatNumber(inputs.backlogUnits), 'backlog', '--backlog'],
    ['viewers', formatShares(inputs), 'viewers', '--viewers'],
    ['views before the image', formatPercent(inputs.earlyViewShare), 'earlyViews', '--early-views'],
    [
      'a GB out of the CDN',
      inputs.usdPerGbOut === undefined ? '' : formatPrice(inputs.usdPerGbOut),
      'egressUsdPerGb',
      '--egress-usd-per-gb',
      'the tiers of CloudFront',
    ],
    ['executions', formatNumber(inputs.executionsLimit), 'executions', '--executions'],
    ['region', inputs.prices.region, 'region', '--region', 'or AWS_REGION'],
    ['a GB of mobile data', formatPrice(inputs.usdPerMobileGb), 'mobileUsdPerGb', '--mobile-usd-per-gb'],
  ];
  const lines = rows.map(([label, value, name, option, otherwise = 'assumed']) => [
    label,
    value,
    givenOptions.has(name) ? option : `${option}, ${otherwise}`,
  ]);
  return formatTable(
    [
      ...lines,
      ['variants an image', '', `${variants} (prewarmWidths, prewarmTiers, prewarmFormats of the stack)`],
    ],
    ['text', 'number', 'text'],
  );
}

function formatShares(inputs: PlanInputs): string {
  return sharesOf(inputs)
    .map(([area, share]) => `${area} ${formatPercent(share)}`)
    .join(', ');
}
