import type { RgbImage } from './metric.ts';

/**
 * What a picture is of, as far as it matters to encoders: a `drawing` is made of flat areas (screens, charts, logos), which encode
 * well without loss; `print` has letters in it, which have to stay legible whatever the metric says; all else is a `photo`.
 */
export type Subject = 'photo' | 'print' | 'drawing';

/** Blocks of 8×8 pixels are looked at, one in four. */
const BLOCK = 8;
const GRID = 16;

/** Levels of luma between the darkest and the brightest pixel of a block. */
const SMOOTH_BELOW = 12;
const SHARP_FROM = 90;
/** Of the range, from either end; and the pixels of a block that are there when it is ink on paper. */
const END_SHARE = 0.25;
const INKED_PIXELS = 48;

/**
 * Found on 30 pictures, of which three are printed matter, one is a document and two are screens: photographs have at most 0.25 of
 * flat pixels unless the sky is blown, and their sharp blocks are textures, fewer than 0.35 of them of two tones. A photograph that is
 * taken for print costs a few bytes.
 */
const DRAWING_FLAT = 0.5;
const DRAWING_FLAT_AND_SMOOTH = 0.35;
const DRAWING_SMOOTH = 0.6;
const PRINT_INKED = 0.08;
const PRINT_INKED_OF_SHARP = 0.4;
const PAPER_SMOOTH = 0.6;
const PAPER_INKED_OF_SHARP = 0.6;

interface BlockFacts {
  /** Pixels that are as their left neighbour is. */
  flat: number;
  range: number;
  isInked: boolean;
}

export function subjectOf(image: RgbImage): Subject {
  const seen = { blocks: 0, flat: 0, smooth: 0, sharp: 0, inked: 0 };
  for (let y = 0; y + BLOCK <= image.height; y += GRID) {
    for (let x = 0; x + BLOCK <= image.width; x += GRID) {
      const { flat, range, isInked } = lookAt(image, x, y);
      seen.blocks++;
      seen.flat += flat;
      seen.smooth += Number(range < SMOOTH_BELOW);
      seen.sharp += Number(range >= SHARP_FROM);
      seen.inked += Number(isInked);
    }
  }
  const blocks = Math.max(1, seen.blocks);
  const flat = seen.flat / (blocks * BLOCK * (BLOCK - 1));
  const smooth = seen.smooth / blocks;
  if (flat >= DRAWING_FLAT || (flat >= DRAWING_FLAT_AND_SMOOTH && smooth >= DRAWING_SMOOTH)) return 'drawing';
  const inked = seen.inked / blocks;
  const inkedOfSharp = seen.inked / Math.max(1, seen.sharp);
  const isPage = inked >= PRINT_INKED && inkedOfSharp >= PRINT_INKED_OF_SHARP;
  const isPaper = smooth >= PAPER_SMOOTH && inkedOfSharp >= PAPER_INKED_OF_SHARP;
  return isPage || isPaper ? 'print' : 'photo';
}

function lookAt({ data, width }: RgbImage, left: number, top: number): BlockFacts {
  let flat = 0;
  let darkest = 255;
  let brightest = 0;
  for (let y = top; y < top + BLOCK; y++) {
    for (let x = left, at = (y * width + left) * 3; x < left + BLOCK; x++, at += 3) {
      if (x > left && isLikeBefore(data, at)) flat++;
      const luma = lumaAt(data, at);
      if (luma < darkest) darkest = luma;
      if (luma > brightest) brightest = luma;
    }
  }
  const range = brightest - darkest;
  const isInked =
    range >= SHARP_FROM && pixelsAtEnds({ data, width }, left, top, darkest, brightest) >= INKED_PIXELS;
  return { flat, range, isInked };
}

function pixelsAtEnds(
  { data, width }: Pick<RgbImage, 'data' | 'width'>,
  left: number,
  top: number,
  darkest: number,
  brightest: number,
): number {
  const near = (brightest - darkest) * END_SHARE;
  let count = 0;
  for (let y = top; y < top + BLOCK; y++) {
    for (let x = 0, at = (y * width + left) * 3; x < BLOCK; x++, at += 3) {
      const luma = lumaAt(data, at);
      if (luma - darkest < near || brightest - luma < near) count++;
    }
  }
  return count;
}

function isLikeBefore(data: Uint8Array, at: number): boolean {
  return data[at] === data[at - 3] && data[at + 1] === data[at - 2] && data[at + 2] === data[at - 1];
}

/** ITU-R BT.601, in whole levels. */
function lumaAt(data: Uint8Array, at: number): number {
  return (77 * (data[at] as number) + 150 * (data[at + 1] as number) + 29 * (data[at + 2] as number)) >> 8;
}
