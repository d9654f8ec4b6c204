import sharp from 'sharp';
import type { PaletteSize } from './encodings.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from './pixels.ts';

/** Pixels of a palette's colours. */
export interface ReducedPixels extends Pixels {
  /** By how many levels the worst pixel is off, in its worst channel: 0 if the palette holds all colours. */
  maxError: number;
}

/**
 * Reduces the colours of an opaque image to a palette of its own, without dithering: a drawing that was resized has hundreds of shades
 * along its edges, which cost a lossless encoder more than all of the rest. libimagequant chooses the colours.
 */
export async function reduceColours(
  pixels: Pixels & { channels: 3 },
  size: PaletteSize,
): Promise<ReducedPixels> {
  const png = openPixels(pixels).png({
    palette: true,
    colours: size,
    dither: 0,
    effort: 7,
    compressionLevel: 1,
  });
  const reduced = await flattenPixels(await readPixels(sharp(await png.toBuffer())));
  return { ...reduced, maxError: maxErrorOf(pixels.data, reduced.data) };
}

function maxErrorOf(original: Buffer, reduced: Buffer): number {
  let worst = 0;
  for (let at = 0; at < original.length; at++) {
    const error = Math.abs((original[at] as number) - (reduced[at] as number));
    if (error > worst) worst = error;
  }
  return worst;
}
