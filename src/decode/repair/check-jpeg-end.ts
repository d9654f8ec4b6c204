import type { InspectedSource } from '../inspect.ts';
import type { Size } from '../size.ts';
import { repairJpegScans } from './repair-jpeg.ts';

/** What libjpeg shows in place of blocks that are missing at the end: all coefficients 0, a grey in the middle of the range. */
const MISSING = { value: 128, tolerance: 8, maxDifference: 4 };

/** The corners, as shares of the width and the height, at which the end of the data is, by orientation from 1 to 8. */
const END_CORNERS: readonly (readonly [x: 0 | 1, y: 0 | 1])[] = [
  [1, 1],
  [0, 1],
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
  [1, 0],
];

/**
 * Finds out whether a JPEG was cut off and closed again: libvips looks for warnings of its decoder before each strip, but not after the last. Its
 * scans are read if the corner where its data end is as grey as blocks that are missing, which is so in one photograph of a hundred.
 *
 * @param shown - the upright pixels: where the missing part is too small to be seen in them, it does not count
 * @throws EdgepressError `source_corrupt`
 */
export async function checkJpegEnd(
  { type, bytes, metadata, isLenient }: InspectedSource,
  shown: Size & { data: Uint8Array; channels: number },
): Promise<void> {
  if (type !== 'jpeg' || isLenient) return;
  const [x, y] = END_CORNERS[(metadata.orientation ?? 1) - 1] ?? [1, 1];
  const at = (y * (shown.height - 1) * shown.width + x * (shown.width - 1)) * shown.channels;
  const [red, green, blue] = shown.data.subarray(at, at + 3) as unknown as [number, number, number];
  const isGrey = Math.max(red, green, blue) - Math.min(red, green, blue) <= MISSING.maxDifference;
  if (isGrey && Math.abs(green - MISSING.value) <= MISSING.tolerance) await repairJpegScans(bytes);
}
