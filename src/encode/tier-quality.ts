import type { Format, Tier } from '../protocol/request.ts';
import { type ContentClass, isDrawn } from './content-class.ts';
import type { EncoderSettings } from './encodings.ts';

/** The SSIMULACRA2 score that each tier promises. */
export const TARGET_SCORES: Readonly<Record<Tier, number>> = { saver: 60, balanced: 70, high: 80 };

/**
 * The encoder quality (1–100) of effort `fast`, which does not score its result: the lowest at which nine images in ten reach the tier's
 * target at 1080 pixels. Measured with `scripts/bench/tiers.ts`.
 *
 * The score that 90% of 30 photographs, documents and screenshots reach:
 *
 * |      | saver | balanced | high |
 * |------|-------|----------|------|
 * | avif | 61.5  | 71.4     | 80.4 |
 * | webp | 60.6  | 71.1     | 80.8 |
 * | jpeg | 60.1  | 70.7     | 80.3 |
 */
const FAST_QUALITY: Readonly<Record<Format, Readonly<Record<Tier, number>>>> = {
  avif: { saver: 51, balanced: 59, high: 70 },
  webp: { saver: 66, balanced: 80, high: 90 },
  jpeg: { saver: 62, balanced: 78, high: 91 },
};

/** Up to this size, the container of AVIF weighs more than AVIF saves. */
const MAX_SMALL_PIXELS = 40 * 40;

/** What is known of a still before it is encoded. The size is that of the variant, in pixels. */
export interface StillTraits {
  contentClass: ContentClass;
  width: number;
  height: number;
}

/** Returns the settings of effort `fast` for a still. */
export function fastSettings(
  format: Format,
  tier: Tier,
  { contentClass, width, height }: StillTraits,
): EncoderSettings {
  if (contentClass === 'chart') {
    return format === 'jpeg' ? { encoding: 'png', colours: 'all' } : { encoding: 'webp', nearLossless: 100 };
  }
  const quality = FAST_QUALITY[format][tier];
  switch (format) {
    case 'avif':
      if (width * height <= MAX_SMALL_PIXELS)
        return fastSettings('webp', tier, { contentClass, width, height });
      // 5% smaller than with 8 bits and 4:2:0. Effort 1 would be another 7% smaller, for three times the time.
      return { encoding: 'avif', quality, effort: 0, chroma: '4:4:4', bits: 10 };
    case 'webp':
      return { encoding: 'webp', quality, effort: 5, sharpChroma: false, preset: 'default' };
    case 'jpeg':
      // 4:2:0 would blur the edges of drawn colours.
      return {
        encoding: 'jpeg',
        quality,
        chroma: isDrawn(contentClass) ? '4:4:4' : '4:2:0',
        table: 'robidoux',
      };
  }
}

/** Returns the encoder quality of an animation that is encoded as WebP. GIF has no quality. */
export function animatedQuality(tier: Tier): number {
  return FAST_QUALITY.webp[tier];
}
