import type { EffortPlan } from './effort.ts';
import { type Figure, showNumber, showUsd, usd } from './figure.ts';
import type { Plan } from './plan.ts';
import { PRICES } from './prices.ts';
import { type Column, layOut } from './table.ts';

const HEAD = [
  ['', 'ms a', '', 'ms an', '', '', 'KB', 'KB', 'egress', 'even', 'contractors', 'even,', 'left,'],
  [
    '',
    'MP',
    'bytes',
    'image',
    'workers',
    'compute',
    'a view',
    'spared',
    'spared',
    'at views',
    'spared',
    'with theirs',
  ],
];
const COLUMNS: readonly Column[] = ['text', ...Array<Column>(12).fill('number')];

/** What an effort costs, for one variant an image, against what it saves. */
export function describeEfforts({ effort, given }: Plan): string[] {
  const { score, width, megapixels, efforts } = effort;
  const views = `${showNumber(given.viewsPerImage)} views`;
  const [egress, mobile] = [usd(given.usdPerGbOut).text, usd(given.usdPerMobileGb).text];
  return [
    `Effort: one variant of ${width} px, ${showNumber(megapixels.value)} MP, at an equal look (SSIMULACRA2 ${score}); dollars for a million images, in ${views} each`,
    ...layOut([...HEAD, ...efforts.map(rowOf)], COLUMNS),
    `  ms an image = ms a MP × ${showNumber(megapixels.value)} MP, of the encoding alone; the MP are ${megapixels.arithmetic}`,
    '  workers = ⌈images a second × ms an image ÷ 1,000 ÷ vCPU⌉',
    `  compute = 1,000,000 × ms an image ÷ 1,000 ÷ vCPU × ${showNumber(given.memoryMb)} MB ÷ 1,024 × ${usd(PRICES.usdPerGbSecond).text}`,
    `  KB a view = ${showNumber(given.variantKb)} KB × bytes ÷ ${efforts[0]?.bytes}, where bytes are relative to WebP of effort 4`,
    '  KB spared = KB a view with the fast effort of the format − KB a view',
    `  egress spared = 1,000,000 × ${views} × KB spared ÷ 1,000,000 × ${egress}; contractors spared: the same × ${mobile}`,
    `  even at views = (compute − compute of the fast effort) ÷ (KB spared × ${egress}); with theirs: ÷ (KB spared × (${egress} + ${mobile}))`,
    '  left = egress spared + contractors spared − (compute − compute of the fast effort)',
    '  Measured with 77 photographs, receipts and screenshots on one core of a Xeon, November 2026.',
    advise(efforts, views),
  ];
}

function rowOf({ name, msPerMegapixel, bytes, figures, against }: EffortPlan): string[] {
  const cells = [
    name,
    showNumber(msPerMegapixel),
    bytes.toFixed(2),
    showNumber(figures.ms.value),
    showNumber(figures.workers.value),
    showUsd(figures.computeUsd.value),
    figures.kb.value.toFixed(1),
  ];
  if (!against) return [...cells, 'fast'];
  return [
    ...cells,
    against.sparedKb.value.toFixed(1),
    showUsd(against.egressUsd.value),
    against.evenViews.value.toFixed(1),
    showUsd(against.contractorsUsd.value),
    against.evenViewsWithContractors.value.toFixed(1),
    showUsd(against.leftWithContractorsUsd.value),
  ];
}

/** With which efforts the most is left of what is spared. */
function advise(efforts: readonly EffortPlan[], views: string): string {
  const best = (leftOf: (against: NonNullable<EffortPlan['against']>) => Figure) =>
    ['avif', 'webp']
      .map((format) => efforts.filter(({ name }) => name.startsWith(format)))
      .map((some) => some.reduce((most, one) => (left(one, leftOf) > left(most, leftOf) ? one : most)))
      .map(({ name }) => name)
      .join(' and ');
  return `  At ${views} the most is left with ${best(({ leftUsd }) => leftUsd)} for egress alone, and with ${best((against) => against.leftWithContractorsUsd)} once what contractors are spared counts.`;
}

function left({ against }: EffortPlan, leftOf: (against: NonNullable<EffortPlan['against']>) => Figure) {
  return against ? leftOf(against).value : 0;
}
