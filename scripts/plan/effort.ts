import type { Tier } from '../../src/protocol/request.ts';
import { dollars, type Figure, figure, formatPrice, roundUp, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { KB_PER_GB, MILLION } from './limits.ts';
import type { Load, Workers } from './load.ts';
import type { Views } from './views.ts';

/** An encoder effort, and what it was measured to cost and to weigh. */
interface MeasuredEffort {
  format: 'avif' | 'webp';
  effort: number;
  msPerMegapixel: number;
  /** Bytes at an equal SSIMULACRA2 score, relative to WebP of effort 4. */
  bytesAt: Readonly<Record<70 | 80, number>>;
}

/**
 * Measured with 77 photographs, receipts and screenshots at 1080 pixels on one core of a Xeon, November 2026, with sharp 0.35.5
 * (aom 3.15.1, libwebp 1.6). The first of each format is the one of a first request, `fast`.
 */
const MEASURED_EFFORTS: readonly MeasuredEffort[] = [
  { format: 'avif', effort: 0, msPerMegapixel: 81, bytesAt: { 70: 0.87, 80: 0.9 } },
  { format: 'avif', effort: 1, msPerMegapixel: 337, bytesAt: { 70: 0.82, 80: 0.83 } },
  { format: 'avif', effort: 3, msPerMegapixel: 1088, bytesAt: { 70: 0.72, 80: 0.77 } },
  { format: 'avif', effort: 4, msPerMegapixel: 4517, bytesAt: { 70: 0.66, 80: 0.7 } },
  { format: 'webp', effort: 4, msPerMegapixel: 110, bytesAt: { 70: 1, 80: 1 } },
  { format: 'webp', effort: 6, msPerMegapixel: 245, bytesAt: { 70: 0.97, 80: 0.96 } },
];

/** Of a 4:3 photograph that is 1080 pixels wide: 1080 × 810. */
const MEGAPIXELS_AT_1080 = 0.87;

/** The cost and savings of one effort. Dollars are for a million images. */
export interface EffortPlan {
  name: string;
  msPerMegapixel: number;
  /** Relative to WebP of effort 4. */
  bytes: number;
  figures: { ms: Figure; workers: Figure; computeUsd: Figure; kb: Figure };
  /** Compared with the `fast` effort of the format, which itself has no comparison. */
  against?: EffortSavings;
}

/** What an effort costs and saves compared with `fast`. Dollars and GB are for a million images in all of their views. */
export interface EffortSavings {
  moreComputeUsd: Figure;
  sparedKb: Figure;
  sparedGb: Figure;
  egressUsd: Figure;
  contractorsUsd: Figure;
  /** Views of an image from which on the effort pays: by egress alone, and with contractors' mobile data. */
  evenViews: Figure;
  evenViewsWithContractors: Figure;
  /** Savings minus the additional compute: negative where the effort does not pay. */
  leftUsd: Figure;
  leftWithContractorsUsd: Figure;
}

/** @returns the SSIMULACRA2 score at which efforts are compared, the size of a variant, and a plan for each effort */
export function calculateEfforts(inputs: PlanInputs, load: Load, workers: Workers, views: Views) {
  const width = Math.max(...inputs.wanted.widths);
  const score = measuredScore(inputs.wanted.tiers);
  const megapixels = figure(
    'a variant',
    (MEGAPIXELS_AT_1080 * width * width) / (1080 * 1080),
    `${MEGAPIXELS_AT_1080} MP × ${show(width)} px × ${show(width)} px ÷ (1,080 px × 1,080 px)`,
    'MP',
  );
  const plans = MEASURED_EFFORTS.map(({ format, effort, msPerMegapixel, bytesAt }): EffortPlan => {
    const bytes = bytesAt[score];
    const figures = effortFigures({ inputs, load, workers, msPerMegapixel, megapixels, bytes, score });
    return { name: `${format} ${effort}`, msPerMegapixel, bytes, figures };
  });
  const efforts = plans.map((plan, index) => {
    const format = MEASURED_EFFORTS[index]?.format;
    const fast = plans[MEASURED_EFFORTS.findIndex((other) => other.format === format)];
    return fast && fast !== plan
      ? { ...plan, against: calculateSavings(inputs, plan, fast, views.usdPerNextGb) }
      : plan;
  });
  return { score, width, megapixels, efforts };
}

export type Efforts = ReturnType<typeof calculateEfforts>;

function effortFigures(parts: {
  inputs: PlanInputs;
  load: Load;
  workers: Workers;
  msPerMegapixel: number;
  megapixels: Figure;
  bytes: number;
  score: 70 | 80;
}): EffortPlan['figures'] {
  const { inputs, msPerMegapixel, megapixels, bytes, score } = parts;
  const { memoryMb, variantKb, prices } = inputs;
  const { imagesPerSecond } = parts.load;
  const { vcpus } = parts.workers;
  // The size of a variant in the inputs is that of the first effort in the table.
  const firstBytes = MEASURED_EFFORTS[0]?.bytesAt[score] ?? 1;
  const ms = figure(
    'CPU',
    msPerMegapixel * megapixels.value,
    `${show(msPerMegapixel)} ms × ${show(megapixels)} MP`,
    'ms',
  );
  return {
    ms,
    workers: figure(
      'workers',
      roundUp((imagesPerSecond.value * ms.value) / 1000 / vcpus.value),
      `⌈${show(imagesPerSecond)} images/s × ${show(ms)} ms ÷ 1,000 ÷ ${show(vcpus)} vCPU⌉`,
    ),
    computeUsd: dollars(
      'compute',
      ((((MILLION * ms.value) / 1000 / vcpus.value) * memoryMb) / 1024) * prices.usdPerGbSecond,
      `${show(MILLION)} images × ${show(ms)} ms ÷ 1,000 ÷ ${show(vcpus)} vCPU × ${show(memoryMb)} MB ÷ 1,024 × ${formatPrice(prices.usdPerGbSecond)}`,
    ),
    kb: figure(
      'a view',
      (variantKb * bytes) / firstBytes,
      `${show(variantKb)} KB × ${show(bytes)} ÷ ${show(firstBytes)}`,
      'KB',
    ),
  };
}

function calculateSavings(
  inputs: PlanInputs,
  { figures }: EffortPlan,
  fast: EffortPlan,
  usdPerNextGb: Figure,
): EffortSavings {
  const { viewsPerImage, usdPerMobileGb } = inputs;
  const usdPerGbOut = usdPerNextGb.value;
  const moreComputeUsd = dollars(
    'more compute',
    figures.computeUsd.value - fast.figures.computeUsd.value,
    `${show(figures.computeUsd)} − ${show(fast.figures.computeUsd)}`,
  );
  const sparedKb = figure(
    'saved a view',
    fast.figures.kb.value - figures.kb.value,
    `${show(fast.figures.kb)} KB − ${show(figures.kb)} KB`,
    'KB',
  );
  const sparedGb = figure(
    'saved in all views',
    (MILLION * viewsPerImage * sparedKb.value) / KB_PER_GB,
    `${show(MILLION)} images × ${show(viewsPerImage)} views × ${show(sparedKb)} KB ÷ ${show(KB_PER_GB)}`,
    'GB',
  );
  const [egress, mobile] = [show(usdPerNextGb), formatPrice(usdPerMobileGb)];
  const egressUsd = dollars('egress saved', sparedGb.value * usdPerGbOut, `${show(sparedGb)} GB × ${egress}`);
  const contractorsUsd = dollars(
    'saved for contractors',
    sparedGb.value * usdPerMobileGb,
    `${show(sparedGb)} GB × ${mobile}`,
  );
  const gbPerView = (MILLION * sparedKb.value) / KB_PER_GB;
  const gbPerViewFormula = `${show(MILLION)} images × ${show(sparedKb)} KB ÷ ${show(KB_PER_GB)}`;
  return {
    moreComputeUsd,
    sparedKb,
    sparedGb,
    egressUsd,
    contractorsUsd,
    evenViews: figure(
      'views to break even',
      moreComputeUsd.value / (gbPerView * usdPerGbOut),
      `${show(moreComputeUsd)} ÷ (${gbPerViewFormula} × ${egress})`,
    ),
    leftUsd: dollars(
      'net',
      egressUsd.value - moreComputeUsd.value,
      `${show(egressUsd)} − ${show(moreComputeUsd)}`,
    ),
    leftWithContractorsUsd: dollars(
      'net, with contractors',
      egressUsd.value + contractorsUsd.value - moreComputeUsd.value,
      `${show(egressUsd)} + ${show(contractorsUsd)} − ${show(moreComputeUsd)}`,
    ),
    evenViewsWithContractors: figure(
      'views to break even, with contractors',
      moreComputeUsd.value / (gbPerView * (usdPerGbOut + usdPerMobileGb)),
      `${show(moreComputeUsd)} ÷ (${gbPerViewFormula} × (${egress} + ${mobile}))`,
    ),
  };
}

/** The measured score that is nearest to what the tiers aim at. */
function measuredScore(tiers: readonly Tier[]): 70 | 80 {
  return tiers.every((tier) => tier === 'high') ? 80 : 70;
}
