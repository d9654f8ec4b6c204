import type { Tier } from '../variant/request.ts';

/** The encodings that a variant can come back in. */
export type Encoding = 'avif' | 'webp' | 'jpeg' | 'gif';

/**
 * The encoder quality (1–100) that a tier is given on a first request, when there is no time to look at the picture.
 * Chosen so that nine photographs in ten reach the tier's SSIMULACRA2 score of 60, 70 or 80 at 1080 pixels, with AVIF at
 * effort 0 and 4:2:0, WebP at effort 4, and mozjpeg; measured by `scripts/bench/tiers.ts`. GIF has no such setting.
 */
export const FAST_QUALITY: Readonly<Record<Exclude<Encoding, 'gif'>, Readonly<Record<Tier, number>>>> = {
  avif: { saver: 48, balanced: 60, high: 74 },
  webp: { saver: 66, balanced: 80, high: 90 },
  jpeg: { saver: 62, balanced: 76, high: 88 },
};
