import { box, fullBox, uint32 } from '../heif.ts';
import { type HeifItem, heifFile } from '../heif-file.ts';
import { HEVC_BLOCK, type HevcRecipe, type HevcSignal, hevcPicture } from '../hevc.ts';
import type { Rgb } from '../png.ts';

export interface ColouredHeicRecipe {
  chroma?: HevcRecipe['chroma'];
  bits?: HevcRecipe['bits'];
  /** MatrixCoefficients of ITU-T H.273: 0 is RGB. */
  matrix?: 0 | 1 | 6 | 9;
  isFullRange?: boolean;
  /** What the bitstream says. */
  signal?: HevcSignal;
  isOfVideo?: HevcRecipe['isOfVideo'];
  /** The contents of `colr` boxes. */
  colr?: readonly Buffer[];
  /** The type of an auxiliary picture, of white. */
  auxiliary?: string;
}

const BRANDS = ['heic', 'mif1', 'heic'];

/** The parts of red and blue in luma (H.273, table 4). */
const LUMA_PARTS = { 1: [0.2126, 0.0722], 6: [0.299, 0.114], 9: [0.2627, 0.0593] } as const;

/**
 * Makes a HEIC with a square for each colour, from left to right.
 *
 * @param colours - what the samples are to be after decoding, in 8 bits; monochrome has the green of each
 */
export function colouredHeic(colours: readonly Rgb[], recipe: ColouredHeicRecipe = {}): Buffer {
  const picture = colouredHeicItem(colours, recipe);
  const { auxiliary } = recipe;
  if (auxiliary === undefined) return heifFile(BRANDS, [picture]);
  const { properties, ...white } = colouredHeicItem(
    colours.map(() => [255, 255, 255]),
    { chroma: 'monochrome' },
  );
  const auxC = fullBox('auxC', 0, 0, Buffer.from(`${auxiliary}\0`, 'latin1'));
  const items = [picture, { ...white, properties: [...properties, auxC] }];
  return heifFile(BRANDS, items, { references: [{ type: 'auxl', from: 2, to: [1] }] });
}

/** Returns the picture of {@link colouredHeic} as an item. */
export function colouredHeicItem(colours: readonly Rgb[], recipe: ColouredHeicRecipe): HeifItem {
  const { chroma = '4:4:4', bits = 8, matrix = 6, isFullRange = true, signal, isOfVideo } = recipe;
  const blocks = colours.map((colour) =>
    chroma === 'monochrome'
      ? [sampleOf(colour[1] / 255, 0, bits, isFullRange)]
      : samplesOf(colour, matrix, bits, isFullRange),
  );
  const { data, config } = hevcPicture({ blocks, chroma, bits, signal, isOfVideo });
  const ispe = fullBox('ispe', 0, 0, uint32(blocks.length * HEVC_BLOCK), uint32(HEVC_BLOCK));
  const colr = (recipe.colr ?? []).map((content) => box('colr', content));
  return { type: 'hvc1', data, properties: [box('hvcC', config), ispe, ...colr] };
}

function samplesOf(colour: Rgb, matrix: 0 | 1 | 6 | 9, bits: number, isFullRange: boolean): number[] {
  const [r, g, b] = colour.map((level) => level / 255) as [number, number, number];
  // Green, blue and red, all with the range of luma.
  if (matrix === 0) return [g, b, r].map((level) => sampleOf(level, 0, bits, isFullRange));
  const [red, blue] = LUMA_PARTS[matrix];
  const luma = red * r + (1 - red - blue) * g + blue * b;
  const [cb, cr] = [(b - luma) / (2 * (1 - blue)), (r - luma) / (2 * (1 - red))];
  return [
    sampleOf(luma, 0, bits, isFullRange),
    ...[cb, cr].map((difference) => sampleOf(difference, 0.5, bits, isFullRange)),
  ];
}

/** H.273, section 8.3. Chroma has its zero in the middle. */
function sampleOf(value: number, zero: 0 | 0.5, bits: number, isFullRange: boolean): number {
  const [scale, largest] = [2 ** (bits - 8), 2 ** bits - 1];
  const sample = isFullRange
    ? value * largest + (zero > 0 ? 2 ** (bits - 1) : 0)
    : scale * (zero > 0 ? 224 * value + 128 : 219 * value + 16);
  return Math.min(largest, Math.round(sample));
}
