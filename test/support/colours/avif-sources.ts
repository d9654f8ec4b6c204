import { type ColouredAvifRecipe, colouredAvif, colouredItem, nclx, prof } from './coloured-avif.ts';
import { type ColouredSource, colouredPng } from './coloured-source.ts';
import { gainMapFile } from './gain-map.ts';
import { DISPLAY_P3, GREY, PRO_PHOTO, TABLE } from './profiles.ts';

function avif(what: string, recipe: ColouredAvifRecipe, bound?: number): ColouredSource {
  const make = () => colouredAvif(colouredPng(), recipe);
  return {
    name: `AVIF with ${what}`,
    contentType: 'image/avif',
    make,
    ...(bound !== undefined && { bound }),
  };
}

/** With a gain map, between the base and a picture of the other dynamic range. */
function withGainMap(what: string, recipe: ColouredAvifRecipe, isHdr: boolean): ColouredSource {
  const make = async () =>
    gainMapFile('avif', {
      base: await colouredItem(colouredPng(), recipe),
      gains: await colouredItem(colouredPng(), { samples: 'monochrome' }),
      alternateColr: isHdr ? nclx(1, 13, 6) : nclx(9, 16, 9),
      headroom: isHdr ? { base: 2, alternate: 0 } : { base: 0, alternate: 2 },
    });
  return { name: `AVIF with a gain map and ${what}`, contentType: 'image/avif', make };
}

/** Light near 0, where the curve is steep: decoders differ in how they round 10 bits of luma and chroma. */
const DARK_IN_10_BITS = 6;

/** AVIF whose colours boxes or the bitstream say. */
export const AVIF_SOURCES: readonly ColouredSource[] = [
  avif('nclx of PQ, 10 bits', { colr: [nclx(9, 16, 9)], bits: 10 }),
  avif('nclx of HLG, 10 bits', { colr: [nclx(9, 18, 9)], bits: 10 }),
  withGainMap('a base of SDR', { colr: [nclx(12, 13, 6)] }, false),
  withGainMap('a base of SDR in an ICC profile', { colr: [prof(DISPLAY_P3)] }, false),
  // Chromium applies the gain map of these where it draws with a GPU.
  withGainMap('a base of PQ', { colr: [nclx(9, 16, 9)], bits: 10 }, true),
  withGainMap('a base of HLG', { colr: [nclx(9, 18, 9)], bits: 10 }, true),
  avif('no colr', {}),
  avif('nclx of sRGB', { colr: [nclx(1, 13, 6)] }),
  avif('nclx of Display P3', { colr: [nclx(12, 13, 6)] }),
  avif('nclx of Display P3, 4:2:0', { colr: [nclx(12, 13, 6)], samples: '4:2:0' }),
  avif('nclx of Display P3, 10 bits', { colr: [nclx(12, 13, 6)], bits: 10 }),
  avif('nclx of BT.2020', { colr: [nclx(9, 14, 6)] }),
  avif('nclx of BT.2020, 10 bits', { colr: [nclx(9, 14, 6)], bits: 10 }, DARK_IN_10_BITS),
  avif('nclx of BT.2020 and its matrix', { colr: [nclx(9, 14, 9)] }),
  avif('nclx of BT.709 and its matrix', { colr: [nclx(1, 1, 1)] }),
  avif('nclx of BT.601', { colr: [nclx(6, 6, 6)] }),
  avif('nclx of gamma 2.2', { colr: [nclx(1, 4, 6)] }),
  avif('nclx of gamma 2.8', { colr: [nclx(1, 5, 6)] }),
  avif('nclx of linear light', { colr: [nclx(1, 8, 6)] }),
  avif('nclx of linear light, 10 bits', { colr: [nclx(1, 8, 6)], bits: 10 }),
  avif('nclx of DCI P3', { colr: [nclx(11, 17, 6)] }),
  avif('nclx unspecified', { colr: [nclx(2, 2, 2)] }),
  avif('nclx reserved', { colr: [nclx(77, 99, 6)] }),
  avif('nclx of limited range', { colr: [nclx(1, 13, 6, false)], isFullRange: false }),
  avif('nclx of limited range, Display P3 in 10 bits', {
    colr: [nclx(12, 13, 6, false)],
    isFullRange: false,
    bits: 10,
  }),
  avif('limited range without colr', { isFullRange: false }),
  avif('limited range of the bitstream, full range of nclx', { isFullRange: false, colr: [nclx(1, 13, 6)] }),
  avif('RGB', { samples: 'identity', colr: [nclx(12, 13, 0)] }),
  avif('RGB of limited range, as nclx says', { samples: 'identity', colr: [nclx(1, 13, 0, false)] }),
  avif('monochrome', { samples: 'monochrome', colr: [nclx(1, 13, 6)] }),
  avif('monochrome of linear light', { samples: 'monochrome', colr: [nclx(1, 8, 6)] }),
  avif('monochrome of limited range', {
    samples: 'monochrome',
    colr: [nclx(1, 13, 6, false)],
    isFullRange: false,
  }),
  avif('monochrome of limited range, 10 bits', {
    samples: 'monochrome',
    colr: [nclx(1, 13, 6, false)],
    isFullRange: false,
    bits: 10,
  }),
  avif('monochrome of limited range without colr', { samples: 'monochrome', isFullRange: false }),
  avif('ICC profile of Display P3', { colr: [prof(DISPLAY_P3)] }),
  avif('ICC profile of ProPhoto, 10 bits', { colr: [prof(PRO_PHOTO)], bits: 10 }),
  avif('ICC profile after nclx', { colr: [nclx(1, 8, 6), prof(DISPLAY_P3)] }),
  avif('ICC profile before nclx', { colr: [prof(DISPLAY_P3), nclx(1, 8, 6)] }),
  avif('ICC profile and limited range', {
    colr: [prof(DISPLAY_P3), nclx(1, 13, 6, false)],
    isFullRange: false,
  }),
  avif('ICC profile of grey, monochrome', { samples: 'monochrome', colr: [prof(GREY)] }),
  avif('ICC profile of grey, monochrome in limited range', {
    samples: 'monochrome',
    isFullRange: false,
    colr: [nclx(1, 13, 6, false), prof(GREY)],
  }),
  avif('ICC profile with a table', { colr: [prof(TABLE)] }),
];
