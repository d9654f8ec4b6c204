import type { Tier } from '../variant/request.ts';

/** The encodings that a variant can come back in. */
export type Encoding = 'avif' | 'webp' | 'jpeg' | 'gif';

/**
 * The encoder quality (1–100) that a tier is given on a first request, when there is no time to look at the picture.
 * Chosen so that nine images in ten reach the tier's SSIMULACRA2 score of 60, 70 or 80 at 1080 pixels, with AVIF at
 * effort 0, WebP at effort 4, and mozjpeg; measured with `scripts/bench/tiers.ts`. GIF has no such setting.
 *
 * The score that 90% of 30 photographs, documents and screenshots reach, and their bytes relative to JPEG of quality 90:
 *
 * |      | saver      | balanced   | high       |
 * |------|------------|------------|------------|
 * | avif | 60.4, 0.30 | 69.3, 0.39 | 80.6, 0.59 |
 * | webp | 60.2, 0.34 | 71.0, 0.47 | 80.7, 0.79 |
 * | jpeg | 60.1, 0.35 | 69.0, 0.47 | 80.2, 0.86 |
 *
 * On a larger set of 77, `balanced` reaches 70 with the same settings.
 */
export const FAST_QUALITY: Readonly<Record<Exclude<Encoding, 'gif'>, Readonly<Record<Tier, number>>>> = {
  avif: { saver: 54, balanced: 60, high: 72 },
  webp: { saver: 65, balanced: 80, high: 90 },
  jpeg: { saver: 62, balanced: 76, high: 91 },
};

/**
 * How AVIF keeps colour. At `high`, halved colour holds text and screenshots below their target whatever the quality:
 * whole colour at quality 72 reaches the score that 4:2:0 reaches at 76, with 7% fewer bytes and 17% more time.
 */
export const AVIF_CHROMA: Readonly<Record<Tier, '4:2:0' | '4:4:4'>> = {
  saver: '4:2:0',
  balanced: '4:2:0',
  high: '4:4:4',
};
