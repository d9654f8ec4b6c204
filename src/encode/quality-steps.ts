import type { Tier } from '../protocol/request.ts';
import { type ContentClass, isDrawn } from './content-class.ts';
import type { EncoderSettings } from './encodings.ts';
import { needsSharpChroma } from './sharp-colours.ts';
import { type StillTraits, TIER_QUALITY } from './tier-quality.ts';

/** A lossy encoding as effort `best` searches it: a list of encoder qualities, whose indices are the steps of the search. */
export interface QualitySteps {
  /** Encoder qualities, in rising order. */
  qualities: readonly number[];
  settingsAt(quality: number): EncoderSettings;
  /** The quality that the search starts with. */
  startAt(tier: Tier): number;
  /** The usual rise of the score from one step to the next. */
  slope: number;
  /** The maximum number of encodes in a search. After a draft, few searches need more than two. */
  maxSamples: number;
  /** The lowest quality by content class, whatever the score: it keeps small print legible. */
  floor: Readonly<Record<ContentClass, number>>;
  /**
   * Faster settings that are searched first. Their scores correlate with those of the real settings, which meet a target `offsetFor` steps away
   * from where the draft meets it.
   */
  draft?: {
    settingsAt(quality: number): EncoderSettings;
    /** In steps, may be a fraction or negative. */
    offsetFor(tier: Tier): number;
    /** The least share of a draft's bytes that the real settings need at the same quality. */
    leastShare: number;
  };
  /**
   * Returns settings between two steps, for encodings whose steps are far apart.
   *
   * @param quality - the quality of the upper step
   * @param surplus - by how much its score exceeds the target, in steps
   * @returns `undefined` if the surplus is too small to be worth an encode
   */
  between?(quality: number, surplus: number): EncoderSettings | undefined;
}

/** Up to this size, an encode at effort 4 takes at most some three seconds. */
const MAX_EFFORT_4_PIXELS = 1_500_000;

/**
 * AVIF has 64 levels, each 6% of bytes apart; these are the qualities that libheif maps to different levels. Levels above the last
 * one are larger than lossless WebP.
 *
 * Effort 3 needs 8% fewer bytes than effort 1, and effort 0 predicts its result within one level. Effort 4 takes four times as long as
 * effort 3, and needs 5 to 8% fewer bytes for letters and lines, but only 1 to 4% for photographs.
 */
export function avifSteps(still: StillTraits): QualitySteps {
  const { contentClass, width, height } = still;
  const sharpChroma = needsSharpChroma(still.sharpColours);
  const isWorthEffort4 = contentClass !== 'photo' && width * height <= MAX_EFFORT_4_PIXELS;
  return {
    qualities: AVIF_QUALITIES,
    startAt: (tier) => TIER_QUALITY[tier].searchStart.avif,
    slope: 1.5,
    floor: { photo: 28, print: 45, drawing: 45, chart: 45 },
    ...(isWorthEffort4 ? avifAtEffort4(sharpChroma) : avifAtEffort3(sharpChroma)),
  };
}

const AVIF_QUALITIES = distinctAvifQualities(24, 94);

type StepsOfEffort = Pick<QualitySteps, 'settingsAt' | 'draft' | 'between' | 'maxSamples'>;

function avifAtEffort3(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 3, sharpChroma }),
    maxSamples: 4,
    draft: {
      settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 0, sharpChroma }),
      offsetFor: (tier) => TIER_QUALITY[tier].draftOffset.avif,
      leastShare: 0.65,
    },
    between: (quality, surplus) => {
      const softening = SOFTENINGS.find(({ minSurplus }) => surplus >= minSurplus);
      return softening && { encoding: 'avif', quality, effort: 3, sharpChroma, soften: softening.weight };
    },
  };
}

function avifAtEffort4(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 4, sharpChroma }),
    maxSamples: 3,
    // Of letters and lines, effort 0 predicts the result three levels too high.
    draft: {
      settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 2, sharpChroma }),
      offsetFor: () => -0.8,
      leastShare: 0.85,
    },
  };
}

/**
 * Softening an image a little before it is encoded saves as many bytes per point of score as a lower quality does, within half a percent,
 * and can be applied in any amount. Each entry has the least surplus over the target, in steps, and a weight that costs less than that.
 */
const SOFTENINGS = [
  { minSurplus: 0.85, weight: 0.03 },
  { minSurplus: 0.68, weight: 0.02 },
  { minSurplus: 0.5, weight: 0.01 },
] as const;

/**
 * Effort 6 needs 3 to 5% fewer bytes than effort 4, sharp's default, for twice the time; preset `picture` needs 1 to 2% fewer at an equal
 * score, though scores vary more.
 */
export function webpSteps({
  contentClass,
  sharpColours,
}: Omit<StillTraits, 'width' | 'height'>): QualitySteps {
  // Without it, halved colour resolution blurs the edges of coloured letters. Other photographs only get larger.
  const sharpChroma = isDrawn(contentClass) || needsSharpChroma(sharpColours);
  return {
    qualities: wholeQualities(20, 98),
    settingsAt: (quality) => ({ encoding: 'webp', quality, effort: 6, sharpChroma, preset: 'picture' }),
    startAt: (tier) => TIER_QUALITY[tier].searchStart.webp,
    slope: 0.65,
    maxSamples: 4,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
    draft: {
      settingsAt: (quality) => ({ encoding: 'webp', quality, effort: 2, sharpChroma, preset: 'picture' }),
      offsetFor: (tier) => TIER_QUALITY[tier].draftOffset.webp,
      leastShare: 0.85,
    },
  };
}

/** Klein's table needs 7% fewer bytes than mozjpeg's default at a score of 70 and 2% at 80, though scores vary more. */
export function jpegSteps(chroma: '4:2:0' | '4:4:4'): QualitySteps {
  return {
    qualities: wholeQualities(20, 96),
    settingsAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein', optimiseScans: true }),
    startAt: (tier) => TIER_QUALITY[tier].searchStart.jpeg,
    slope: 0.55,
    maxSamples: 7,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
  };
}

function wholeQualities(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function distinctAvifQualities(from: number, to: number): number[] {
  const level = (quality: number) => Math.floor(((100 - quality) * 63 + 50) / 100);
  return wholeQualities(from, to).filter((quality) => level(quality) !== level(quality - 1));
}
