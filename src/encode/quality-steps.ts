import type { Tier } from '../protocol/request.ts';
import { type ContentClass, isDrawn } from './content-class.ts';
import type { Setting } from './encodings.ts';

/** A lossy encoding as `best` searches it: its qualities, as steps from the worst to the best. */
export interface QualitySteps {
  /** Encoder qualities, rising: the floor that keeps small print legible comes from them too. */
  qualities: readonly number[];
  settingAt(quality: number): Setting;
  /** The quality to begin with, the usual one of a tier. */
  start: Readonly<Record<Tier, number>>;
  /** Points of score from a step to the next, about. */
  slope: number;
  /** How many encodes its search may take. After a draft, few need more than two. */
  attempts: number;
  /** No picture is given less, whatever the metric says of it. */
  floor: Readonly<Record<ContentClass, number>>;
  /** A quicker encoding, whose score goes with this one's: where it meets a target this one does too, so many steps away. */
  draft?: { settingAt(quality: number): Setting; stepsAway: Readonly<Record<Tier, number>> };
  /**
   * What lies a share of a step below a quality, where steps are far apart.
   *
   * @returns `undefined` where the share is too little to be worth an encode
   */
  between?(quality: number, share: number): Setting | undefined;
}

/**
 * AVIF has 64 levels, of 6% of bytes each; these are the qualities that differ, as libheif maps them. Those above are larger than
 * lossless WebP.
 *
 * 10 bits and whole colour need 3% fewer bytes than 8 bits and 4:2:0 at a score of 70 and 8% fewer at 80, of photographs;
 * of screens, half. Effort 3 needs 15% fewer than effort 0, whose encodes cost a tenth and say within a level where to look; effort 4
 * would need 6% fewer still, for five times the time.
 */
export const AVIF_STEPS: QualitySteps = {
  qualities: distinctAvifQualities(24, 94),
  settingAt: avifAt,
  start: { saver: 44, balanced: 55, high: 70 },
  slope: 1.5,
  attempts: 4,
  floor: { photo: 28, print: 45, drawing: 45, chart: 45 },
  draft: {
    settingAt: (quality) => ({ encoding: 'avif', quality, effort: 0, chroma: '4:4:4', bits: 8 }),
    stepsAway: { saver: -1.5, balanced: -1.2, high: -2 },
  },
  between: (quality, share) => {
    const softening = SOFTENINGS.find(({ from }) => share >= from);
    return softening && { ...avifAt(quality), soften: softening.weight };
  },
};

function avifAt(quality: number): Setting & { encoding: 'avif' } {
  return { encoding: 'avif', quality, effort: 3, chroma: '4:4:4', bits: 10 };
}

/**
 * To soften a picture a little before it is encoded costs as much of its score as the same bytes of quality would, within half a
 * percent, and comes in any amount: what a score is above its target by, in steps, and the weight that takes off less than that.
 */
const SOFTENINGS = [
  { from: 0.85, weight: 0.03 },
  { from: 0.68, weight: 0.02 },
  { from: 0.5, weight: 0.01 },
] as const;

/**
 * Effort 6 needs 3 to 5% fewer bytes than effort 4, which is sharp's own, for twice the time; this preset 1 to 2% fewer at an equal
 * score, though scores lie further apart.
 */
export function webpSteps(contentClass: ContentClass): QualitySteps {
  // Letters of a colour lose their edges where colour is halved by averages. Photographs only grow by it.
  const sharpChroma = isDrawn(contentClass);
  return {
    qualities: wholeQualities(20, 98),
    settingAt: (quality) => ({ encoding: 'webp', quality, effort: 6, sharpChroma, preset: 'picture' }),
    start: { saver: 58, balanced: 76, high: 88 },
    slope: 0.65,
    attempts: 4,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
    draft: {
      settingAt: (quality) => ({ encoding: 'webp', quality, effort: 2, sharpChroma, preset: 'picture' }),
      stepsAway: { saver: 1.5, balanced: 0, high: -1.3 },
    },
  };
}

/** Klein's table needs 7% fewer bytes than mozjpeg's default at a score of 70, 2% at 80, though scores lie further apart. */
export function jpegSteps(chroma: '4:2:0' | '4:4:4'): QualitySteps {
  return {
    qualities: wholeQualities(20, 96),
    settingAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein' }),
    start: { saver: 56, balanced: 71, high: 86 },
    slope: 0.55,
    attempts: 7,
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
