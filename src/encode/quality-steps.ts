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
  /** The usual rise of the score from one step to the next, near the target of a tier. */
  slopeFor(tier: Tier): number;
  /** By which factor bytes usually grow from one step to the next. */
  growth: number;
  /** By how many steps estimates are off, as a standard deviation. */
  spreadFor(tier: Tier): number;
  /** The lowest quality by content class, whatever the score: it keeps small print legible. */
  floor: Readonly<Record<ContentClass, number>>;
  /**
   * Faster settings that are tried first. Their scores correlate with those of the real settings, which meet a target `offsetFor` steps away
   * from where the draft meets it.
   */
  draft: {
    settingsAt(quality: number): EncoderSettings;
    /** In steps, may be a fraction or negative. */
    offsetFor(tier: Tier): number;
    /** The usual share of a draft's bytes that the real settings need at the same score. */
    share: number;
  };
  /**
   * Returns settings between two steps, for encodings whose steps are far apart.
   *
   * @param quality - the quality of the upper step
   * @param distance - how far below it, in steps, from 0 to 1
   */
  between?(quality: number, distance: number): EncoderSettings;
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
    slopeFor: (tier) => TIER_QUALITY[tier].slope.avif,
    growth: 1.066,
    floor: { photo: 28, print: 45, drawing: 45, chart: 45 },
    ...(isWorthEffort4 ? avifAtEffort4(sharpChroma) : avifAtEffort3(sharpChroma)),
  };
}

const AVIF_QUALITIES = distinctAvifQualities(24, 94);

type StepsOfEffort = Pick<QualitySteps, 'settingsAt' | 'draft' | 'between' | 'spreadFor'>;

function avifAtEffort3(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 3, sharpChroma }),
    spreadFor: (tier) => TIER_QUALITY[tier].spread.avif,
    draft: {
      settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 0, sharpChroma }),
      offsetFor: (tier) => TIER_QUALITY[tier].draftOffset.avif,
      share: 0.83,
    },
    between: (quality, distance) => {
      const soften = SOFTENINGS.find(({ from }) => distance >= from)?.weight;
      return { encoding: 'avif', quality, effort: 3, sharpChroma, ...(soften && { soften }) };
    },
  };
}

function avifAtEffort4(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 4, sharpChroma }),
    spreadFor: () => 0.7,
    // Of letters and lines, effort 0 predicts the result three levels too high.
    draft: {
      settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 2, sharpChroma }),
      offsetFor: () => -0.8,
      share: 0.95,
    },
  };
}

/**
 * Softening an image a little before it is encoded saves as many bytes per point of score as a lower quality does, within half a percent,
 * and can be applied in any amount. Each entry has a distance from the step, and a weight that costs less than that.
 */
const SOFTENINGS = [
  { from: 0.85, weight: 0.03 },
  { from: 0.68, weight: 0.02 },
  { from: 0.5, weight: 0.01 },
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
    slopeFor: (tier) => TIER_QUALITY[tier].slope.webp,
    growth: 1.03,
    spreadFor: (tier) => TIER_QUALITY[tier].spread.webp,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
    draft: {
      settingsAt: (quality) => ({ encoding: 'webp', quality, effort: 2, sharpChroma, preset: 'picture' }),
      offsetFor: (tier) => TIER_QUALITY[tier].draftOffset.webp,
      share: 0.9,
    },
  };
}

/** Klein's table needs 7% fewer bytes than mozjpeg's default at a score of 70 and 2% at 80, though scores vary more. */
export function jpegSteps(chroma: '4:2:0' | '4:4:4'): QualitySteps {
  return {
    qualities: wholeQualities(20, 96),
    settingsAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein', effort: 2 }),
    startAt: (tier) => TIER_QUALITY[tier].searchStart.jpeg,
    slopeFor: (tier) => TIER_QUALITY[tier].slope.jpeg,
    growth: 1.025,
    spreadFor: (tier) => TIER_QUALITY[tier].spread.jpeg,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
    draft: {
      settingsAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein', effort: 0 }),
      offsetFor: (tier) => TIER_QUALITY[tier].draftOffset.jpeg,
      share: 0.955,
    },
  };
}

function wholeQualities(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function distinctAvifQualities(from: number, to: number): number[] {
  const level = (quality: number) => Math.floor(((100 - quality) * 63 + 50) / 100);
  return wholeQualities(from, to).filter((quality) => level(quality) !== level(quality - 1));
}
