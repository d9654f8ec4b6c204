import type { RgbImage } from './metric.ts';

/**
 * What an image shows, as far as it matters to encoders. A `chart` has few colours and is smallest when it is lossless. A `drawing` is made
 * of flat areas, like most screenshots, or of dots in few colours, like a dithered fax, and may be smallest lossless. `print` has letters,
 * which have to stay legible whatever the metric says. Anything else is a `photo`.
 */
export type ContentClass = 'photo' | 'print' | 'drawing' | 'chart';

/** Whether an image is drawn rather than photographed, so that lossless encodings are worth a try. */
export function isDrawn(contentClass: ContentClass): boolean {
  return contentClass === 'drawing' || contentClass === 'chart';
}

/** Blocks of 8×8 pixels are sampled, one in four. */
const BLOCK = 8;
const GRID = 16;

/** The range of luma in a block, in levels: a block is smooth below the first and sharp from the second on. */
const SMOOTH_BELOW = 12;
const SHARP_FROM = 90;
/** A sharp block has two tones, like ink on paper, if at least this many of its pixels are within this share of the range from either end. */
const TONE_SHARE = 0.25;
const TWO_TONE_PIXELS = 48;

/**
 * Thresholds, found on 30 images: three printed pages, one document, two screenshots, and photographs. Photographs have at most 0.25 of
 * flat pixels unless the sky is overexposed, and their sharp blocks are textures, of which fewer than 0.35 have two tones. A photograph
 * that is classified as print costs a few bytes more.
 */
const CHART_COLOURS = 32;
const DRAWING_FLAT = 0.5;
const DRAWING_FLAT_AND_SMOOTH = 0.35;
const DRAWING_SMOOTH = 0.6;
/** The dots of black and white make all blocks sharp but those in one colour. */
const DITHERED_SHARP = 0.5;
const PRINT_TWO_TONE = 0.08;
const PRINT_TWO_TONE_OF_SHARP = 0.4;
const PAPER_SMOOTH = 0.6;
const PAPER_TWO_TONE_OF_SHARP = 0.6;

interface BlockStats {
  /** The number of pixels that equal their left neighbour. */
  flat: number;
  /** Levels of luma between the darkest and the brightest pixel. */
  range: number;
  isTwoTone: boolean;
}

/** Classifies an image from a sample of its pixels. */
export function classifyContent(image: RgbImage): ContentClass {
  const counts = { blocks: 0, flat: 0, smooth: 0, sharp: 0, twoTone: 0 };
  const colours = new Set<number>();
  for (let y = 0; y + BLOCK <= image.height; y += GRID) {
    for (let x = 0; x + BLOCK <= image.width; x += GRID) {
      const { flat, range, isTwoTone } = measureBlock(image, x, y, colours);
      counts.blocks++;
      counts.flat += flat;
      counts.smooth += Number(range < SMOOTH_BELOW);
      counts.sharp += Number(range >= SHARP_FROM);
      counts.twoTone += Number(isTwoTone);
    }
  }
  const blocks = Math.max(1, counts.blocks);
  const flat = counts.flat / (blocks * BLOCK * (BLOCK - 1));
  const smooth = counts.smooth / blocks;
  if (flat >= DRAWING_FLAT && colours.size <= CHART_COLOURS) return 'chart';
  if (flat >= DRAWING_FLAT || (flat >= DRAWING_FLAT_AND_SMOOTH && smooth >= DRAWING_SMOOTH)) return 'drawing';
  // A dark photograph may have as few colours, but is smooth.
  const isDithered = colours.size <= CHART_COLOURS && counts.sharp / blocks >= DITHERED_SHARP;
  if (isDithered) return 'drawing';
  const twoTone = counts.twoTone / blocks;
  const twoToneOfSharp = counts.twoTone / Math.max(1, counts.sharp);
  const isPage = twoTone >= PRINT_TWO_TONE && twoToneOfSharp >= PRINT_TWO_TONE_OF_SHARP;
  const isPaper = smooth >= PAPER_SMOOTH && twoToneOfSharp >= PAPER_TWO_TONE_OF_SHARP;
  return isPage || isPaper ? 'print' : 'photo';
}

/** The luma of the pixels of the block that is being measured: thousands of blocks are, one after the other. */
const lumas = new Uint8Array(BLOCK * BLOCK);

/** @param colours - collects the colours of all blocks, until there are too many for a chart */
function measureBlock(
  { data, width }: RgbImage,
  left: number,
  top: number,
  colours: Set<number>,
): BlockStats {
  let flat = 0;
  let darkest = 255;
  let brightest = 0;
  let isCounting = colours.size <= CHART_COLOURS;
  for (let y = 0; y < BLOCK; y++) {
    let at = ((top + y) * width + left) * 3;
    let before = -1;
    for (let i = y * BLOCK; i < (y + 1) * BLOCK; i++, at += 3) {
      const red = data[at] as number;
      const green = data[at + 1] as number;
      const blue = data[at + 2] as number;
      const colour = (red << 16) | (green << 8) | blue;
      if (colour === before) flat++;
      else if (isCounting) isCounting = colours.add(colour).size <= CHART_COLOURS;
      before = colour;
      // ITU-R BT.601, in whole levels.
      const luma = (77 * red + 150 * green + 29 * blue) >> 8;
      lumas[i] = luma;
      if (luma < darkest) darkest = luma;
      if (luma > brightest) brightest = luma;
    }
  }
  return { flat, range: brightest - darkest, isTwoTone: isTwoTone(darkest, brightest) };
}

/** Whether the block is sharp, and most of its pixels are nearly as dark as the darkest, or as bright as the brightest. */
function isTwoTone(darkest: number, brightest: number): boolean {
  const range = brightest - darkest;
  if (range < SHARP_FROM) return false;
  const near = range * TONE_SHARE;
  let pixels = 0;
  for (let i = 0; i < BLOCK * BLOCK; i++) {
    const luma = lumas[i] as number;
    if (luma - darkest < near || brightest - luma < near) pixels++;
  }
  return pixels >= TWO_TONE_PIXELS;
}
