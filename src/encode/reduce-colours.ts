import sharp from 'sharp';
import type { PaletteSize } from './encodings.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from './pixels.ts';

/** How a reduced picture differs: not at all, not visibly as a drawing, or in its colours. */
export type Fidelity = 'exact' | 'faithful' | 'changed';

/** Pixels of a palette's colours. */
export interface ReducedPixels extends Pixels {
  fidelity: Fidelity;
}

/**
 * A palette is faithful if it holds nearly all pixels within four levels, so that no shading turns into bands, and none is off by more than
 * a quarter of the range, so that no small detail takes another colour. All drawings of few colours in `scripts/bench/small-originals.ts`
 * that pass have a score of 81 or more; screenshots with pictures in them, and pages that were photographed, do not pass.
 */
const NEAR_LEVELS = 4;
const MIN_NEAR_SHARE = 0.9;
const MAX_LEVELS = 64;

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
  return { ...reduced, fidelity: fidelityOf(pixels.data, reduced.data) };
}

function fidelityOf(original: Buffer, reduced: Buffer): Fidelity {
  let worst = 0;
  let far = 0;
  for (let at = 0; at < original.length; at += 3) {
    let error = 0;
    for (let channel = at; channel < at + 3; channel++)
      error = Math.max(error, Math.abs((original[channel] as number) - (reduced[channel] as number)));
    if (error > worst) worst = error;
    if (error > NEAR_LEVELS) far++;
  }
  if (worst === 0) return 'exact';
  const isNear = far <= (1 - MIN_NEAR_SHARE) * (original.length / 3);
  return isNear && worst <= MAX_LEVELS ? 'faithful' : 'changed';
}
