import { type Format, TIERS, type Tier } from '../protocol/request.ts';
import { type ContentClass, isDrawn } from './content-class.ts';
import type { EncoderSettings } from './encodings.ts';
import { needsLossless, needsSharpChroma } from './sharp-colours.ts';

/** What a tier means to encoders. Encoder qualities are 1–100. */
interface TierQuality {
  /** The SSIMULACRA2 score that the tier promises. */
  targetScore: number;
  /** The quality of effort `fast`, which does not score its result. */
  fast: Readonly<Record<Format, number>>;
}

/**
 * The tiers. A quality of effort `fast` is the lowest at which nine images in ten reach the target at 1080 pixels. Measured with
 * `scripts/bench/tiers.ts`; the score that 90% of 30 photographs, documents and screenshots reach:
 *
 * |      | saver | balanced | high |
 * |------|-------|----------|------|
 * | avif | 61.8  | 70.3     | 80.4 |
 * | webp | 60.6  | 71.1     | 80.8 |
 * | jpeg | 60.1  | 70.7     | 80.3 |
 */
export const TIER_QUALITY: Readonly<Record<Tier, TierQuality>> = {
  saver: {
    targetScore: 60,
    fast: { avif: 53, webp: 66, jpeg: 62 },
  },
  balanced: {
    targetScore: 70,
    fast: { avif: 61, webp: 80, jpeg: 78 },
  },
  high: {
    targetScore: 80,
    fast: { avif: 75, webp: 90, jpeg: 91 },
  },
};

/** The tier with the lowest target: byte budgets go no lower. */
export const LOWEST_TIER: Tier = TIERS.reduce((lowest, tier) =>
  TIER_QUALITY[tier].targetScore < TIER_QUALITY[lowest].targetScore ? tier : lowest,
);

/** Up to this size, the container of AVIF weighs more than AVIF saves. */
const MAX_SMALL_PIXELS = 40 * 40;

/** What is known of a still before it is encoded. The size is that of the variant, in pixels. */
export interface StillTraits {
  contentClass: ContentClass;
  width: number;
  height: number;
  /** See `shareOfSharpColours`; not set where it is not known. */
  sharpColours?: number;
}

/**
 * Returns the settings of effort `fast` for a still.
 *
 * @param target - the score to reach, if it is lower than that of the tier
 */
export function fastSettings(
  format: Format,
  tier: Tier,
  still: StillTraits,
  target = TIER_QUALITY[tier].targetScore,
): EncoderSettings {
  const { contentClass, width, height, sharpColours } = still;
  if (contentClass === 'chart') {
    return format === 'jpeg' ? { encoding: 'png', palette: 'none' } : { encoding: 'webp', nearLossless: 100 };
  }
  if (contentClass === 'drawing' && format !== 'jpeg' && needsLossless(sharpColours))
    return { encoding: 'webp', nearLossless: 20 };
  const quality = fastQuality(format, tier, target);
  const sharpChroma = needsSharpChroma(sharpColours);
  switch (format) {
    case 'avif':
      if (width * height <= MAX_SMALL_PIXELS) return fastSettings('webp', tier, still, target);
      // Effort 1 makes up for what 8 bits and 4:2:0 cost: effort 0 would need 9% more bytes for photographs and a quarter more for
      // drawings. It takes 0.18 s a megapixel, effort 0 0.05 s.
      return { encoding: 'avif', quality, effort: 1, sharpChroma };
    case 'webp':
      return { encoding: 'webp', quality, effort: 5, sharpChroma, preset: 'default' };
    case 'jpeg':
      // mozjpeg's trellis takes 50 ms at 1080 pixels and saves 12% of the bytes, which take 0.25 s at 400 kbit/s. 4:2:0 would blur the edges
      // of drawn colours.
      return {
        encoding: 'jpeg',
        quality,
        chroma: isDrawn(contentClass) ? '4:4:4' : '4:2:0',
        table: 'robidoux',
        effort: 1,
      };
  }
}

/** Returns the quality of a tier, or one in proportion between it and the tier below if the target lies between theirs. */
function fastQuality(format: Format, tier: Tier, target: number): number {
  const { fast, targetScore } = TIER_QUALITY[tier];
  const below = TIERS.map((one) => TIER_QUALITY[one]).findLast((one) => one.targetScore < targetScore);
  if (!below || target >= targetScore) return fast[format];
  const share = Math.max(0, (target - below.targetScore) / (targetScore - below.targetScore));
  return Math.round(below.fast[format] + share * (fast[format] - below.fast[format]));
}

/** Returns the encoder quality of an animation that is encoded as WebP. GIF has no quality. */
export function animatedQuality(tier: Tier): number {
  return TIER_QUALITY[tier].fast.webp;
}
