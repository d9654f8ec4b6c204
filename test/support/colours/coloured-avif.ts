import sharp, { type Sharp } from 'sharp';
import { readSequenceHeader } from '../../../src/decode/containers/av1-sequence-header.ts';
import { type AvifItem, readAvifItems } from '../../../src/decode/containers/avif-items.ts';
import { box, uint16 } from '../heif.ts';
import { type HeifItem, heifFile } from '../heif-file.ts';

const BRANDS = ['avif', 'avif', 'mif1', 'miaf'];

export interface ColouredAvifRecipe {
  /** `identity` is RGB. */
  samples?: '4:4:4' | '4:2:0' | 'monochrome' | 'identity';
  bits?: 8 | 10;
  isFullRange?: boolean;
  /** The contents of `colr` boxes. */
  colr?: readonly Buffer[];
}

/** Returns the contents of a `colr` box with code points of ITU-T H.273. */
export function nclx(primaries: number, transfer: number, matrix: number, isFullRange = true): Buffer {
  const codes = [primaries, transfer, matrix].map(uint16);
  return Buffer.concat([Buffer.from('nclx', 'latin1'), ...codes, Buffer.from([isFullRange ? 0x80 : 0])]);
}

/** Returns the contents of a `colr` box with an ICC profile. */
export function prof(profile: Buffer): Buffer {
  return Buffer.concat([Buffer.from('prof', 'latin1'), profile]);
}

/**
 * Makes an AVIF whose boxes say its colours. Sharp writes full range only: for limited range, the bitstream is made to say so, and its
 * samples get another meaning.
 *
 * @param image - opaque; monochrome has its green
 */
export async function colouredAvif(image: Buffer, recipe: ColouredAvifRecipe): Promise<Buffer> {
  return heifFile(BRANDS, [await colouredItem(image, recipe)]);
}

/** Returns the picture of {@link colouredAvif} as an item. */
export async function colouredItem(
  image: Buffer,
  { samples = '4:4:4', bits = 8, isFullRange = true, colr = [] }: ColouredAvifRecipe,
): Promise<HeifItem> {
  const { data, properties } = await encodedItem(image, samples, bits);
  const [av1C, ispe] = ['av1C', 'ispe'].map((type) => properties.find((one) => one.type === type)?.content);
  if (!av1C || !ispe) throw new Error('the AVIF is not as expected');
  const boxes = [box('av1C', av1C), box('ispe', ispe), ...colr.map((content) => box('colr', content))];
  return { type: 'av01', data: isFullRange ? data : withLimitedRange(data), properties: boxes };
}

/** Encodes with as little loss as possible. The one monochrome picture that sharp writes is that of transparency. */
async function encodedItem(
  image: Buffer,
  samples: NonNullable<ColouredAvifRecipe['samples']>,
  bits: 8 | 10,
): Promise<AvifItem> {
  const isMonochrome = samples === 'monochrome';
  const pipeline = isMonochrome ? await greenAsAlpha(image) : sharp(image).removeAlpha();
  const chromaSubsampling = samples === '4:2:0' ? '4:2:0' : '4:4:4';
  const quality = samples === 'identity' ? { lossless: true } : { quality: 100, chromaSubsampling };
  const items = readAvifItems(await pipeline.avif({ ...quality, bitdepth: bits }).toBuffer());
  const item = isMonochrome ? items?.all.find((one) => one.auxiliaryOf !== undefined) : items?.primary;
  if (!item) throw new Error('the AVIF is not as expected');
  return item;
}

async function greenAsAlpha(image: Buffer): Promise<Sharp> {
  const { data, info } = await sharp(image).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  for (let at = 0; at < data.length; at += 4) data[at + 3] = data[at + 1] as number;
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 4 } });
}

/** Clears `color_range` in the sequence header: the bit that changes that and nothing else. */
function withLimitedRange(data: Buffer): Buffer {
  const expected = JSON.stringify({ ...readSequenceHeader(data), isFullRange: false });
  for (let bit = 0; bit < 8 * Math.min(64, data.length); bit++) {
    const changed = Buffer.from(data);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (0x80 >> (bit & 7));
    if (JSON.stringify(readSequenceHeader(changed)) === expected) return changed;
  }
  throw new Error('no bit for the range');
}
