import type { Config } from '../../src/config.ts';

/**
 * CPU time of an image in AVIF and WebP at 1,080 pixels on one vCPU, with all that is around its encoding, in ms: the mean of 30 photographs,
 * products, documents and screenshots of up to 24 megapixels, on one core of an AMD EPYC, November 2026 (`npm run plan -- --photos`). Pictures
 * differ: 150 to 1,370 ms at `fast`, 320 to 4,750 ms at `best`.
 */
const MEASURED_MS = { fast: 510, best: 1800 } as const;
/** Of these, what does not depend on the variants: fetching, decoding, storing. */
const OTHER_MS = 150;
const MEASURED_WIDTH = 1080;
const MEASURED_FORMATS = 2;

/**
 * Returns the CPU time that is assumed for an image with all of its variants, in ms on one vCPU, unless it is measured: that of the
 * effort which the workers are set to, in proportion to the pixels of the variants.
 */
export function assumedMsPerImage({
  prewarm,
  prewarmEffort,
}: Pick<Config, 'prewarm' | 'prewarmEffort'>): number {
  const { widths, tiers, formats } = prewarm;
  const pixels = widths.reduce((sum, width) => sum + (width / MEASURED_WIDTH) ** 2, 0);
  const variants = (pixels * tiers.length * formats.length) / MEASURED_FORMATS;
  return Math.round(OTHER_MS + (MEASURED_MS[prewarmEffort] - OTHER_MS) * variants);
}
