import { type Column, formatTable } from '../cli/text.ts';
import type { Plan } from './calculate.ts';
import type { EffortPlan, EffortSavings } from './effort.ts';
import { type Figure, formatFigures, formatFormula, formatNumber, formatPrice, formatUsd } from './figure.ts';
import { HOURS_PER_MONTH, MILLION } from './limits.ts';
import { PRICE_NAMES, PRICES_DATE, PRICES_REGION } from './prices.ts';

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
    '  Not included: alarms, access logs, requests for variants that were not prewarmed, tiers of Lambda and S3, free tiers, taxes.',
  ];
}

/** The section of prices with their date, region and sources. What was not found says so. */
export function priceLines({ inputs, views }: Plan): string[] {
  const { prices } = inputs;
  const { region, notFound } = prices;
  const names = Object.keys(PRICE_NAMES) as (keyof typeof PRICE_NAMES)[];
  const rows = names.map((name) => {
    const { what, source } = PRICE_NAMES[name];
    const price = name === 'spotShare' ? String(prices[name]) : formatPrice(prices[name]);
    return [
      price,
      what,
      notFound.includes(name) ? `not found for ${region}: that of ${PRICES_REGION}` : source,
    ];
  });
  const cdn = [
    [
      formatUsd(views.usdPerMillionViews.value),
      'a million requests of CloudFront over HTTPS, where viewers are',
      'Price List API, AmazonCloudFront, Requests-Tier2-HTTPS (2026)',
    ],
    [
      formatUsd(views.usdPerNextGb.value),
      'a GB more out of CloudFront, where viewers are, at this volume',
      inputs.usdPerGbOut === undefined ? 'Amazon CloudFront pricing, pay as you go' : '--egress-usd-per-gb',
    ],
  ];
  return [
    `Prices (${region}, ${PRICES_DATE})`,
    ...formatTable([...rows, ...cdn], ['number', 'text', 'text']),
  ];
}

/** CloudFront's flat-rate plans beside a month of this load by pay-as-you-go. */
export function flatRateLines({ flatRates }: Plan): string[] {
  const { payAsYouGo, plans } = flatRates;
  const rows = plans.map(({ name, usd, requestShare, byteShare, fits }) => [
    name,
    formatUsd(usd.value),
    `${formatNumber(requestShare.value)} × its requests`,
    `${formatNumber(byteShare.value)} × its bytes`,
    fits ? 'fits' : 'too small',
    `${formatFormula(requestShare)}; ${formatFormula(byteShare)}`,
  ]);
  const own = ['Pay as you go', formatUsd(payAsYouGo.value), '', '', '', formatFormula(payAsYouGo)];
  return [
    "CloudFront's flat-rate plans, a month, for one distribution",
    ...formatTable([own, ...rows], ['text', 'number', 'number', 'number', 'text', 'text']),
    '  A plan includes the edge function and its reads. Above it AWS charges nothing more, and may slow the distribution down. Whether the stack works with one is not tried.',
  ];
}

/** Whether Origin Shield pays, and why. */
export function shieldLines({ shield, inputs }: Plan): string[] {
  const { figures, isWorthIt } = shield;
  const { shieldRegion } = inputs;
  const advice = isWorthIt
    ? `on: deploy with "originShieldRegion": "${shieldRegion}"`
    : 'off: it costs more than it saves';
  return [`Origin Shield in ${shieldRegion}: ${advice}`, ...formatFigures(figures)];
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
export function effortLines({ effort, inputs, views: { usdPerNextGb } }: Plan): string[] {
  const { score, width, megapixels, efforts } = effort;
  const views = `${formatNumber(inputs.viewsPerImage)} views`;
  const [egress, mobile] = [formatUsd(usdPerNextGb.value), formatPrice(inputs.usdPerMobileGb)];
  return [
    `Effort: one variant of ${width} px, ${formatNumber(megapixels.value)} MP, at equal quality (SSIMULACRA2 ${score}); dollars for a million images, in ${views} each`,
    ...formatTable([...EFFORT_HEAD, ...efforts.map(effortRow)], EFFORT_COLUMNS),
    `  ms an image = ms a MP × ${formatNumber(megapixels.value)} MP, of the encoding alone; the MP are ${megapixels.arithmetic}`,
    '  workers = ⌈images a second × ms an image ÷ 1,000 ÷ vCPU⌉',
    `  compute = 1,000,000 × ms an image ÷ 1,000 ÷ vCPU × ${formatNumber(inputs.memoryMb)} MB ÷ 1,024 × ${formatPrice(inputs.prices.usdPerGbSecond)}`,
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
