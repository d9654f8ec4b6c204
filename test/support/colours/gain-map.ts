import { box, fullBox, uint32 } from '../heif.ts';
import { type HeifItem, heifFile } from '../heif-file.ts';

export interface GainMapRecipe {
  base: HeifItem;
  /** The picture of the gains. */
  gains: HeifItem;
  /** The content of the `colr` box of the alternate picture. */
  alternateColr: Buffer;
  /** How far white is exceeded, as powers of 2: 0 for SDR. */
  headroom: { base: number; alternate: number };
}

/** How much brighter HDR is than SDR, as a power of 2, whatever the gain map's samples are: enough to be seen if it is applied. */
const GAIN = 2;

/** Returns a HEIF file with a gain map (ISO 21496-1; ISO/IEC 23008-12, `tmap`): a picture that can be shown in SDR and in HDR. */
export function gainMapFile(
  brand: 'avif' | 'heic',
  { base, gains, alternateColr, headroom }: GainMapRecipe,
): Buffer {
  const size = base.properties.find((property) => property.toString('latin1', 4, 8) === 'ispe') as Buffer;
  const pixi = fullBox('pixi', 0, 0, [3, 8, 8, 8]);
  const map = {
    type: 'tmap',
    data: metadata(headroom),
    properties: [size, box('colr', alternateColr), pixi],
  } as const;
  return heifFile([brand, brand, 'mif1', 'miaf', 'tmap'], [base, gains, map], {
    references: [{ type: 'dimg', from: 3, to: [1, 2] }],
    alternatives: [3, 1],
  });
}

/** Annex C of ISO 21496-1, behind a byte for the version of the item. */
function metadata({ base, alternate }: GainMapRecipe['headroom']): Buffer {
  const IN_SPACE_OF_BASE = 0x40;
  const fraction = (value: number) => [uint32(Math.round(value * 1000)), uint32(1000)];
  const [offset, gamma] = [0, 1];
  return Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, IN_SPACE_OF_BASE]),
    // Both headrooms, the smallest and the largest gain, gamma, both offsets.
    ...[base, alternate, GAIN, GAIN, gamma, offset, offset].flatMap(fraction),
  ]);
}
