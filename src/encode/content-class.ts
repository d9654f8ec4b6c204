import type { RgbImage } from './metric.ts';

/**
 * What a picture is of, as far as it matters to encoders: a `chart` has few colours, so that it is smallest without loss; a `drawing` is
 * made of flat areas, like most screens, and may be; `print` has letters in it, which have to stay legible whatever the
 * metric says; all else is a `photo`.
 */
export type ContentClass = 'photo' | 'print' | 'drawing' | 'chart';

export function isDrawn(contentClass: ContentClass): boolean {
  return contentClass === 'drawing' || contentClass === 'chart';
}

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
const CHART_COLOURS = 32;
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

export function classifyContent(image: RgbImage): ContentClass {
  const seen = { blocks: 0, flat: 0, smooth: 0, sharp: 0, inked: 0 };
  const colours = new Set<number>();
  for (let y = 0; y + BLOCK <= image.height; y += GRID) {
    for (let x = 0; x + BLOCK <= image.width; x += GRID) {
      const { flat, range, isInked } = lookAt(image, x, y, colours);
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
  if (flat >= DRAWING_FLAT && colours.size <= CHART_COLOURS) return 'chart';
  if (flat >= DRAWING_FLAT || (flat >= DRAWING_FLAT_AND_SMOOTH && smooth >= DRAWING_SMOOTH)) return 'drawing';
  const inked = seen.inked / blocks;
  const inkedOfSharp = seen.inked / Math.max(1, seen.sharp);
  const isPage = inked >= PRINT_INKED && inkedOfSharp >= PRINT_INKED_OF_SHARP;
  const isPaper = smooth >= PAPER_SMOOTH && inkedOfSharp >= PAPER_INKED_OF_SHARP;
  return isPage || isPaper ? 'print' : 'photo';
}

/** @param colours - those of the block are added, until they are too many to matter */
function lookAt({ data, width }: RgbImage, left: number, top: number, colours: Set<number>): BlockFacts {
  const lumas: number[] = [];
  let flat = 0;
  for (let i = 0; i < BLOCK * BLOCK; i++) {
    const x = i % BLOCK;
    const at = ((top + (i - x) / BLOCK) * width + left + x) * 3;
    if (x > 0 && isLikeBefore(data, at)) flat++;
    else if (colours.size <= CHART_COLOURS) colours.add(colourAt(data, at));
    lumas.push(lumaAt(data, at));
  }
  const darkest = Math.min(...lumas);
  const brightest = Math.max(...lumas);
  const range = brightest - darkest;
  const near = range * END_SHARE;
  const atEnds = lumas.filter((luma) => luma - darkest < near || brightest - luma < near);
  return { flat, range, isInked: range >= SHARP_FROM && atEnds.length >= INKED_PIXELS };
}

function isLikeBefore(data: Uint8Array, at: number): boolean {
  return data[at] === data[at - 3] && data[at + 1] === data[at - 2] && data[at + 2] === data[at - 1];
}

function colourAt(data: Uint8Array, at: number): number {
  return ((data[at] as number) << 16) | ((data[at + 1] as number) << 8) | (data[at + 2] as number);
}

/** ITU-R BT.601, in whole levels. */
function lumaAt(data: Uint8Array, at: number): number {
  return (77 * (data[at] as number) + 150 * (data[at + 1] as number) + 29 * (data[at + 2] as number)) >> 8;
}
