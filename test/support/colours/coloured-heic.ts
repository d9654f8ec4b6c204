import { box, fullBox, uint16, uint32 } from '../heif.ts';
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

/** The parts of red and blue in luma (H.273, table 4). */
const LUMA_PARTS = { 1: [0.2126, 0.0722], 6: [0.299, 0.114], 9: [0.2627, 0.0593] } as const;

/**
 * Makes a HEIC with a square for each colour, from left to right.
 *
 * @param colours - what the samples are to be after decoding, in 8 bits; monochrome has the green of each
 */
export function colouredHeic(colours: readonly Rgb[], recipe: ColouredHeicRecipe = {}): Buffer {
  const { chroma = '4:4:4', bits = 8, matrix = 6, isFullRange = true, signal, isOfVideo } = recipe;
  const blocks = colours.map((colour) =>
    chroma === 'monochrome'
      ? [sampleOf(colour[1] / 255, 0, bits, isFullRange)]
      : samplesOf(colour, matrix, bits, isFullRange),
  );
  const picture = { ...hevcPicture({ blocks, chroma, bits, signal, isOfVideo }), colr: recipe.colr ?? [] };
  if (recipe.auxiliary === undefined) return heic([picture], colours.length);
  const white = { blocks: blocks.map(() => [255]), chroma: 'monochrome', bits: 8 } as const;
  return heic([picture, { ...hevcPicture(white), colr: [], auxiliary: recipe.auxiliary }], colours.length);
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

interface Picture {
  data: Buffer;
  config: Buffer;
  colr: readonly Buffer[];
  auxiliary?: string;
}

/** The first picture is shown, and the others belong to it. */
function heic(pictures: readonly Picture[], columns: number): Buffer {
  const properties: Buffer[] = [];
  const associations = pictures.map(({ config, colr, auxiliary }) => {
    const own = [
      box('hvcC', config),
      fullBox('ispe', 0, 0, uint32(columns * HEVC_BLOCK), uint32(HEVC_BLOCK)),
      ...colr.map((content) => box('colr', content)),
      ...(auxiliary === undefined ? [] : [fullBox('auxC', 0, 0, Buffer.from(`${auxiliary}\0`, 'latin1'))]),
    ];
    // The configuration of the codec is essential.
    const indices = own.map((_, index) => (index === 0 ? 0x80 : 0) + properties.length + index + 1);
    properties.push(...own);
    return indices;
  });
  const ids = pictures.map((_, index) => index + 1);
  const ftyp = box('ftyp', Buffer.from('heic\0\0\0\0mif1heic', 'latin1'));
  const metaWith = (dataAt: number) =>
    fullBox(
      'meta',
      0,
      0,
      fullBox('hdlr', 0, 0, uint32(0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
      fullBox('pitm', 0, 0, uint16(1)),
      fullBox('iloc', 0, 0, [0x44, 0], uint16(ids.length), ...locations(pictures, dataAt)),
      fullBox(
        'iinf',
        0,
        0,
        uint16(ids.length),
        ...ids.map((id) =>
          fullBox('infe', 2, id === 1 ? 0 : 1, uint16(id), [0, 0], Buffer.from('hvc1\0', 'latin1')),
        ),
      ),
      ...(ids.length > 1
        ? [fullBox('iref', 0, 0, ...ids.slice(1).map((id) => box('auxl', ...[id, 1, 1].map(uint16))))]
        : []),
      box(
        'iprp',
        box('ipco', ...properties),
        fullBox(
          'ipma',
          0,
          0,
          uint32(ids.length),
          ...associations.map((indices, index) => [...uint16(index + 1), indices.length, ...indices]),
        ),
      ),
    );
  const meta = metaWith(ftyp.length + metaWith(0).length + 8);
  return Buffer.concat([ftyp, meta, box('mdat', ...pictures.map(({ data }) => data))]);
}

function locations(pictures: readonly Picture[], dataAt: number): Buffer[] {
  let at = dataAt;
  return pictures.flatMap(({ data }, index) => {
    const offset = at;
    at += data.length;
    return [...[index + 1, 0, 1].map(uint16), uint32(offset), uint32(data.length)];
  });
}
