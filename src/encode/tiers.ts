import type { Format, Tier } from '../variant/request.ts';
import type { Setting } from './encodings.ts';
import type { Subject } from './subject.ts';

/** The SSIMULACRA2 score that a tier promises. */
export const TARGETS: Readonly<Record<Tier, number>> = { saver: 60, balanced: 70, high: 80 };

/**
 * The encoder quality (1–100) that a tier is given when there is no time to look at what comes out, chosen so that nine
 * images in ten reach the tier's score at 1080 pixels; measured with `scripts/bench/tiers.ts`.
 */
const FAST_QUALITY: Readonly<Record<Format, Readonly<Record<Tier, number>>>> = {
  avif: { saver: 54, balanced: 60, high: 72 },
  webp: { saver: 65, balanced: 80, high: 90 },
  jpeg: { saver: 62, balanced: 76, high: 91 },
};

/** What a still is encoded with on a first request. */
export function fastSetting(format: Format, tier: Tier, subject: Subject): Setting {
  const quality = FAST_QUALITY[format][tier];
  const chroma = subject === 'photo' ? '4:2:0' : '4:4:4';
  switch (format) {
    case 'avif':
      return { encoding: 'avif', quality, effort: 0, chroma, bits: 8 };
    case 'webp':
      return { encoding: 'webp', quality, effort: 5, sharpChroma: false };
    case 'jpeg':
      return { encoding: 'jpeg', quality, chroma };
  }
}

/** What an animation is encoded with where it becomes WebP. GIF has no such setting. */
export function movingQuality(tier: Tier): number {
  return FAST_QUALITY.webp[tier];
}
