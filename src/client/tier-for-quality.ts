import type { Format, Tier } from '../protocol/request.ts';

/** A quality below the first number is `saver`, below the second `balanced`: halfway between the qualities at which the service's own encoders reach the tiers with effort `fast`. */
const LIMITS: Record<Format, readonly [number, number]> = {
  avif: [58, 69],
  webp: [74, 86],
  jpeg: [71, 86],
};

/**
 * Returns the tier for a quality as encoders, other services and image components have it.
 *
 * @param quality - from 1 to 100
 * @param format - whose quality it is. Default: JPEG, on whose scale most programs have it
 */
export function tierForQuality(quality: number, format: Format = 'jpeg'): Tier {
  const [balanced, high] = LIMITS[format];
  if (quality < balanced) return 'saver';
  return quality < high ? 'balanced' : 'high';
}
