import { type Column, formatTable } from '../cli/text.ts';
import type { Plan } from './calculate.ts';
import type { EffortPlan, EffortSavings } from './effort.ts';
import { type Figure, formatFormula, formatNumber, formatPrice, formatUsd } from './figure.ts';
import { HOURS_PER_MONTH, MILLION, PRICE_NAMES, PRICES } from './prices-and-limits.ts';

/** The section of costs: a line for each thing that AWS charges for, and their totals. */
export function costLines({ cost, load }: Plan): string[] {
  const rows = Object.values(cost).map((line) => [
    line.label,
    formatUsd(line.value),
    formatUsd(line.usdPerMillionImages),
    formatUsd(line.usdPerMonth),
    formatFormula(line),
  ]);
  return [
    'Cost',
    ...formatTable(
      [['', 'an hour', 'a million images', 'a month', "= an hour's"], ...rows],
      ['text', 'number', 'number', 'number', 'text'],
    ),
    `  a million images = an hour × ${formatNumber(MILLION)} ÷ ${formatNumber(load.imagesPerHour.value)} images; a month = an hour × ${HOURS_PER_MONTH}, if the load never ends`,
    '  Not included: logs and alarms, requests for variants that were not prewarmed, free tiers, taxes.',
  ];
}

/** The section of prices with their date and region. */
export function priceLines(): string[] {
  const rows = Object.entries(PRICE_NAMES).map(([name, label]) => [
    formatPrice(PRICES[name as keyof typeof PRICE_NAMES]),
    label,
  ]);
  return [`Prices (${PRICES.region}, ${PRICES.date})`, ...formatTable(rows, ['number', 'text'])];
}

const EFFORT_HEAD = [
  ['', 'ms a', '', 'ms an', '', '', 'KB', 'KB', 'egress', 'even', 'contractors', 'even,', 'net,'],
  [
    '',
    'MP',
    'bytes',
    'image',
    'workers',
    'compute',
    'a view',
    'saved',
    'saved',
    'at views',
    'save',
    'with theirs',
    'with theirs',
  ],
];
const EFFORT_COLUMNS: readonly Column[] = ['text', ...Array<Column>(12).fill('number')];

/** The section of efforts: what each costs, for one variant an image, and what it saves. */
export function effortLines({ effort, inputs }: Plan): string[] {
  const { score, width, megapixels, efforts } = effort;
  const views = `${formatNumber(inputs.viewsPerImage)} views`;
  const [egress, mobile] = [formatPrice(inputs.usdPerGbOut), formatPrice(inputs.usdPerMobileGb)];
  return [
    `Effort: one variant of ${width} px, ${formatNumber(megapixels.value)} MP, at equal quality (SSIMULACRA2 ${score}); dollars for a million images, in ${views} each`,
    ...formatTable([...EFFORT_HEAD, ...efforts.map(effortRow)], EFFORT_COLUMNS),
    `  ms an image = ms a MP × ${formatNumber(megapixels.value)} MP, of the encoding alone; the MP are ${megapixels.arithmetic}`,
    '  workers = ⌈images a second × ms an image ÷ 1,000 ÷ vCPU⌉',
    `  compute = 1,000,000 × ms an image ÷ 1,000 ÷ vCPU × ${formatNumber(inputs.memoryMb)} MB ÷ 1,024 × ${formatPrice(PRICES.usdPerGbSecond)}`,
    `  KB a view = ${formatNumber(inputs.variantKb)} KB × bytes ÷ ${efforts[0]?.bytes}, where bytes are relative to WebP of effort 4`,
    '  KB saved = KB a view with the fast effort of the format − KB a view',
    `  egress saved = 1,000,000 × ${views} × KB saved ÷ 1,000,000 × ${egress}; contractors save: the same × ${mobile}`,
    `  even at views = (compute − compute of the fast effort) ÷ (KB saved × ${egress}); with theirs: ÷ (KB saved × (${egress} + ${mobile}))`,
    '  net = egress saved + contractors save − (compute − compute of the fast effort)',
    '  Measured with 77 photographs, receipts and screenshots on one core of a Xeon, November 2026.',
    bestEffortsLine(efforts, views),
  ];
}

function effortRow({ name, msPerMegapixel, bytes, figures, against }: EffortPlan): string[] {
  const cells = [
    name,
    formatNumber(msPerMegapixel),
    bytes.toFixed(2),
    formatNumber(figures.ms.value),
    formatNumber(figures.workers.value),
    formatUsd(figures.computeUsd.value),
    figures.kb.value.toFixed(1),
  ];
  if (!against) return [...cells, 'fast'];
  return [
    ...cells,
    against.sparedKb.value.toFixed(1),
    formatUsd(against.egressUsd.value),
    against.evenViews.value.toFixed(1),
    formatUsd(against.contractorsUsd.value),
    against.evenViewsWithContractors.value.toFixed(1),
    formatUsd(against.leftWithContractorsUsd.value),
  ];
}

/** The effort of each format with the highest net savings, without and with contractors' mobile data. */
function bestEffortsLine(efforts: readonly EffortPlan[], views: string): string {
  const byEgress = bestEfforts(efforts, ({ leftUsd }) => leftUsd);
  const withContractors = bestEfforts(efforts, ({ leftWithContractorsUsd }) => leftWithContractorsUsd);
  return `  At ${views} the net savings are highest with ${byEgress} for egress alone, and with ${withContractors} once the savings of contractors count.`;
}

function bestEfforts(efforts: readonly EffortPlan[], netSavings: (savings: EffortSavings) => Figure): string {
  // The fast effort is compared with itself: it neither costs nor saves.
  const netUsd = ({ against }: EffortPlan) => (against ? netSavings(against).value : 0);
  const best = ['avif', 'webp'].map((format) =>
    efforts
      .filter(({ name }) => name.startsWith(format))
      .reduce((most, one) => (netUsd(one) > netUsd(most) ? one : most)),
  );
  return best.map(({ name }) => name).join(' and ');
}
