import type { Format, Tier } from '../protocol/request.ts';
import { type ContentClass, isDrawn } from './content-class.ts';
import type { Setting } from './encodings.ts';

/** The SSIMULACRA2 score that a tier promises. */
export const TARGETS: Readonly<Record<Tier, number>> = { saver: 60, balanced: 70, high: 80 };

/**
 * The encoder quality (1–100) that a tier is given when there is no time to look at what comes out: the lowest at which nine
 * images in ten reach the tier's score at 1080 pixels; measured with `scripts/bench/tiers.ts`.
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

/** Up to so many, the container of AVIF weighs more than what it saves. */
const SMALL_PIXELS = 40 * 40;

/** What a still is encoded with on a first request, by what is known before: its subject and its size. */
export function fastSetting(
  format: Format,
  tier: Tier,
  { contentClass, width, height }: Appearance,
): Setting {
  if (contentClass === 'chart') {
    return format === 'jpeg' ? { encoding: 'png', colours: 'all' } : { encoding: 'webp', nearLossless: 100 };
  }
  const quality = FAST_QUALITY[format][tier];
  switch (format) {
    case 'avif':
      if (width * height <= SMALL_PIXELS) return fastSetting('webp', tier, { contentClass, width, height });
      // 5% smaller than with 8 bits and halved colour; effort 1 would be 7% smaller still, for three times the time.
      return { encoding: 'avif', quality, effort: 0, chroma: '4:4:4', bits: 10 };
    case 'webp':
      return { encoding: 'webp', quality, effort: 5, sharpChroma: false, preset: 'default' };
    case 'jpeg':
      // Colours that are drawn have edges, which halved colour blurs.
      return {
        encoding: 'jpeg',
        quality,
        chroma: isDrawn(contentClass) ? '4:4:4' : '4:2:0',
        table: 'robidoux',
      };
  }
}

/** What is seen of a picture before it is encoded. */
export interface Appearance {
  contentClass: ContentClass;
  width: number;
  height: number;
}

/** What an animation is encoded with where it becomes WebP. GIF has no such setting. */
export function animatedQuality(tier: Tier): number {
  return FAST_QUALITY.webp[tier];
}
