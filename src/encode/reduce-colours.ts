import sharp from 'sharp';
import type { PaletteSize } from './encodings.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from './pixels.ts';

/** Pixels of a palette's colours, which look like the original. */
export interface ReducedPixels extends Pixels {
  /** Whether the palette holds all colours. */
  isExact: boolean;
}

/**
 * A palette is faithful if it holds nearly all pixels within four levels, so that no shading turns into bands, and none is off by more than
 * a quarter of the range, so that no small detail takes another colour. All drawings of few colours in `scripts/bench/small-originals.ts`
 * that pass have a score of 81 or more; screenshots with pictures in them, and pages that were photographed, do not pass.
 */
const NEAR_LEVELS = 4;
const MIN_NEAR_SHARE = 0.9;
const MAX_LEVELS = 64;

/** Colours are counted at each of so many pixels, and in steps of eight levels. */
const SAMPLED = 31;
/** Pixels near a colour of a palette fall into up to eight such steps, but nearly all pixels of a drawing have one of a few colours. */
const MAX_STEPS = 128;

/** Whether a palette may be faithful: much quicker to tell than to make one, and hardly ever wrong where it says no. */
function hasFewColours({ data }: Pick<Pixels, 'data'>): boolean {
  const counts = new Map<number, number>();
  let total = 0;
  for (let at = 0; at + 2 < data.length; at += 3 * SAMPLED, total++) {
    const [red, green, blue] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    const colour = ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const most = [...counts.values()].sort((a, b) => b - a).slice(0, MAX_STEPS);
  return most.reduce((sum, count) => sum + count, 0) >= MIN_NEAR_SHARE * total;
}

/**
 * Reduces the colours of an opaque image to a palette of its own, without dithering: a drawing that was resized has hundreds of shades
 * along its edges, which cost a lossless encoder more than all of the rest. libimagequant chooses the colours.
 *
 * @returns `undefined` if the palette would not be faithful
 */
export async function reduceColours(
  pixels: Pixels & { channels: 3 },
  size: PaletteSize,
): Promise<ReducedPixels | undefined> {
  if (!hasFewColours(pixels)) return undefined;
  const png = openPixels(pixels).png({
    palette: true,
    colours: size,
    dither: 0,
    effort: 7,
    compressionLevel: 1,
  });
  const reduced = await flattenPixels(await readPixels(sharp(await png.toBuffer())));
  const { worst, near } = compare(pixels.data, reduced.data);
  const isFaithful = worst <= MAX_LEVELS && near >= MIN_NEAR_SHARE;
  return isFaithful ? { ...reduced, isExact: worst === 0 } : undefined;
}

/** Returns by how many levels the worst channel is off, and the share of pixels that are near. */
function compare(original: Buffer, reduced: Buffer): { worst: number; near: number } {
  let worst = 0;
  let far = 0;
  for (let at = 0; at < original.length; at += 3) {
    let error = 0;
    for (let channel = at; channel < at + 3; channel++) {
      const difference = Math.abs((original[channel] as number) - (reduced[channel] as number));
      if (difference > error) error = difference;
    }
    if (error > worst) worst = error;
    if (error > NEAR_LEVELS) far++;
  }
  return { worst, near: 1 - far / (original.length / 3) };
}
