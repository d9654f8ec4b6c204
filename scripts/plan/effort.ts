import type { Tier } from '../../src/protocol/request.ts';
import { type Figure, figure, usd } from './figure.ts';
import type { Given } from './given.ts';
import { KB_PER_GB, MILLION } from './limits.ts';
import type { Load, Workers } from './load.ts';
import { PRICES } from './prices.ts';

/** How hard an encoder tries. */
interface EffortSetting {
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
const EFFORTS: readonly EffortSetting[] = [
  { format: 'avif', effort: 0, msPerMegapixel: 81, bytesAt: { 70: 0.87, 80: 0.9 } },
  { format: 'avif', effort: 1, msPerMegapixel: 337, bytesAt: { 70: 0.82, 80: 0.83 } },
  { format: 'avif', effort: 3, msPerMegapixel: 1088, bytesAt: { 70: 0.72, 80: 0.77 } },
  { format: 'avif', effort: 4, msPerMegapixel: 4517, bytesAt: { 70: 0.66, 80: 0.7 } },
  { format: 'webp', effort: 4, msPerMegapixel: 110, bytesAt: { 70: 1, 80: 1 } },
  { format: 'webp', effort: 6, msPerMegapixel: 245, bytesAt: { 70: 0.97, 80: 0.96 } },
];

/** Of a photograph of 4:3 at 1080 pixels of width: 1080 × 810. */
const MEGAPIXELS_AT_1080 = 0.87;

/** What one effort costs against the `fast` one of its format, and what it saves. */
export interface EffortPlan {
  name: string;
  msPerMegapixel: number;
  /** Relative to WebP of effort 4. */
  bytes: number;
  figures: {
    ms: Figure;
    workers: Figure;
    /** For a million images. */
    computeUsd: Figure;
    kb: Figure;
  };
  /** Against `fast`, which has none. */
  against?: {
    moreComputeUsd: Figure;
    sparedKb: Figure;
    /** For a million images, in all of their views, as the dollars that follow. */
    sparedGb: Figure;
    egressUsd: Figure;
    contractorsUsd: Figure;
    /** Of an image, from which on it pays in egress alone; and in egress and contractors' data together. */
    evenViews: Figure;
    evenViewsWithContractors: Figure;
    /** Of what is spared, once the compute is paid: less than nothing where it is not worth it. */
    leftUsd: Figure;
    leftWithContractorsUsd: Figure;
  };
}

/** @returns the score at which efforts are compared, how large the pictures are, and a plan for each effort */
export function planEfforts(given: Given, load: Load, workers: Workers) {
  const width = Math.max(...given.wanted.widths);
  const score = scoreOf(given.wanted.tiers);
  const megapixels = figure(
    'a variant',
    'MP',
  )`${MEGAPIXELS_AT_1080} MP × ${width} px × ${width} px ÷ (${1080} px × ${1080} px)`;
  const fastest = EFFORTS[0]?.bytesAt[score] ?? 1;
  const planFor = (setting: EffortSetting): EffortPlan => {
    const bytes = setting.bytesAt[score];
    const ms = figure('CPU', 'ms')`${setting.msPerMegapixel} ms × ${megapixels} MP`;
    return {
      name: `${setting.format} ${setting.effort}`,
      msPerMegapixel: setting.msPerMegapixel,
      bytes,
      figures: {
        ms,
        workers: figure(
          'workers',
        )`⌈${load.imagesPerSecond} images/s × ${ms} ms ÷ ${1000} ÷ ${workers.vcpus} vCPU⌉`,
        computeUsd: figure(
          'compute',
          '$',
        )`${MILLION} images × ${ms} ms ÷ ${1000} ÷ ${workers.vcpus} vCPU × ${given.memoryMb} MB ÷ ${1024} × ${usd(PRICES.usdPerGbSecond)}`,
        kb: figure('a view', 'KB')`${given.variantKb} KB × ${bytes} ÷ ${fastest}`,
      },
    };
  };
  const plans = EFFORTS.map(planFor);
  const efforts = plans.map((plan, index) => {
    const format = EFFORTS[index]?.format;
    const fast = plans[EFFORTS.findIndex((other) => other.format === format)];
    return fast && fast !== plan ? { ...plan, against: planAgainst(given, plan, fast) } : plan;
  });
  return { score, width, megapixels, efforts };
}

export type Efforts = ReturnType<typeof planEfforts>;

function planAgainst(
  given: Given,
  { figures }: EffortPlan,
  fast: EffortPlan,
): NonNullable<EffortPlan['against']> {
  const moreComputeUsd = figure('more compute', '$')`${figures.computeUsd} − ${fast.figures.computeUsd}`;
  const sparedKb = figure('spared a view', 'KB')`${fast.figures.kb} KB − ${figures.kb} KB`;
  const sparedGb = figure(
    'spared in all views',
    'GB',
  )`${MILLION} images × ${given.viewsPerImage} views × ${sparedKb} KB ÷ ${KB_PER_GB}`;
  const [egress, mobile] = [usd(given.usdPerGbOut), usd(given.usdPerMobileGb)];
  const egressUsd = figure('egress spared', '$')`${sparedGb} GB × ${egress}`;
  const contractorsUsd = figure('spared to contractors', '$')`${sparedGb} GB × ${mobile}`;
  return {
    moreComputeUsd,
    sparedKb,
    sparedGb,
    egressUsd,
    contractorsUsd,
    evenViews: figure(
      'even at views',
    )`${moreComputeUsd} ÷ (${MILLION} images × ${sparedKb} KB ÷ ${KB_PER_GB} × ${egress})`,
    leftUsd: figure('left', '$')`${egressUsd} − ${moreComputeUsd}`,
    leftWithContractorsUsd: figure(
      'left, with contractors',
      '$',
    )`${egressUsd} + ${contractorsUsd} − ${moreComputeUsd}`,
    evenViewsWithContractors: figure(
      'even at views, with contractors',
    )`${moreComputeUsd} ÷ (${MILLION} images × ${sparedKb} KB ÷ ${KB_PER_GB} × (${egress} + ${mobile}))`,
  };
}

/** What was measured and is nearest to what the tiers aim at. */
function scoreOf(tiers: readonly Tier[]): 70 | 80 {
  return tiers.every((tier) => tier === 'high') ? 80 : 70;
}
