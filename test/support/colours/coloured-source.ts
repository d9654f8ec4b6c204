import { type PngRecipe, type Rgb, writePng } from '../png.ts';

/** A file with a square for each of {@link COLOURS}, of which browsers and variants are to show the same. */
export interface ColouredSource {
  name: string;
  contentType: string;
  make: () => Buffer | Promise<Buffer>;
  /** The same picture in a type that browsers show, where they do not show its own. */
  shownAs?: Pick<ColouredSource, 'contentType' | 'make'>;
  /** The largest difference of a channel, in levels, where it is not that of the test. */
  bound?: number;
}

/** Skin, sky and grass, a strong and a pale colour, and greys. */
export const COLOURS: readonly Rgb[] = [
  [220, 180, 150],
  [40, 80, 160],
  [90, 140, 60],
  [200, 60, 40],
  [235, 225, 240],
  [255, 255, 255],
  [192, 192, 192],
  [128, 128, 128],
  [64, 64, 64],
  [24, 24, 24],
  [0, 0, 0],
];

/** Returns a PNG of {@link COLOURS}. */
export function colouredPng(recipe: PngRecipe = {}): Buffer {
  return writePng(COLOURS, recipe);
}
