import { type ColouredAvifRecipe, colouredAvif, nclx, prof } from './coloured-avif.ts';
import { type ColouredHeicRecipe, colouredHeic, colouredHeicItem } from './coloured-heic.ts';
import { COLOURS, type ColouredSource, colouredPng } from './coloured-source.ts';
import { gainMapFile } from './gain-map.ts';
import { DISPLAY_P3, GREY, TABLE, TRUNCATED } from './profiles.ts';

/** Browsers do not show HEIC: its colours are compared with those of an AVIF whose pixels are the same. */
function heic(
  what: string,
  recipe: ColouredHeicRecipe,
  shownAs: ColouredAvifRecipe,
  bound?: number,
): ColouredSource {
  return {
    name: `HEIC with ${what}`,
    contentType: 'image/heic',
    make: () => colouredHeic(COLOURS, recipe),
    shownAs: { contentType: 'image/avif', make: () => colouredAvif(colouredPng(), shownAs) },
    ...(bound !== undefined && { bound }),
  };
}

/** With a gain map, between the base and a picture of the other dynamic range. */
function withGainMap(what: string, colr: Buffer, isHdr: boolean): ColouredSource {
  const bits = isHdr ? 10 : 8;
  const signal = { isFullRange: true };
  const source = heic(`a gain map and ${what}`, {}, { bits, colr: [colr] });
  const make = () =>
    gainMapFile('heic', {
      base: colouredHeicItem(COLOURS, { chroma: '4:2:0', bits, signal, colr: [colr] }),
      gains: colouredHeicItem(COLOURS, { chroma: 'monochrome' }),
      alternateColr: isHdr ? nclx(1, 13, 6) : nclx(9, 16, 9),
      headroom: isHdr ? { base: 2, alternate: 0 } : { base: 0, alternate: 2 },
    });
  return { ...source, make };
}

/** The code points that files have: primaries, transfer characteristics, matrix coefficients. */
const CODES = {
  sRGB: [1, 13, 6],
  'Display P3': [12, 13, 6],
  'Display P3 with the matrix of BT.709': [12, 13, 1],
  'BT.709': [1, 1, 1],
  'BT.2020': [9, 14, 9],
  'linear light': [1, 8, 6],
  PQ: [9, 16, 9],
  HLG: [9, 18, 9],
} as const;

/** HEIC whose colours boxes or the bitstream say. */
export const HEIC_SOURCES: readonly ColouredSource[] = [
  ...Object.entries(CODES).flatMap(([name, codes]) => {
    const [primaries, transfer, matrix] = codes;
    // Without loss.
    const shownAs = { samples: 'identity', colr: [nclx(primaries, transfer, 0)] } as const;
    return [8, 10].flatMap((bits) =>
      [true, false].flatMap((isFullRange) => {
        const kind = `${name}, ${bits} bits, ${isFullRange ? 'full' : 'limited'} range`;
        const recipe = { bits: bits as 8 | 10, matrix, isFullRange, chroma: '4:2:0' } as const;
        const colr = [nclx(primaries, transfer, matrix, isFullRange)];
        return [
          heic(`nclx of ${kind}`, { ...recipe, colr }, shownAs),
          heic(`VUI of ${kind}`, { ...recipe, signal: { codes, isFullRange } }, shownAs),
        ];
      }),
    );
  }),
  heic('no colours', { isFullRange: false }, {}),
  heic(
    'VUI behind what encoders of videos write',
    { isOfVideo: true, signal: { codes: [12, 13, 6], isFullRange: true } },
    { colr: [nclx(12, 13, 6)] },
  ),
  heic('the range alone in its VUI', { signal: { isFullRange: true } }, {}),
  heic(
    'nclx that differs from its VUI',
    { colr: [nclx(12, 13, 6)], signal: { codes: [1, 8, 1], isFullRange: false } },
    { colr: [nclx(12, 13, 6)] },
  ),
  ...(['Display P3', 'linear light'] as const).flatMap((name) => {
    const [primaries, transfer] = CODES[name];
    const shownAs = { samples: 'monochrome', colr: [nclx(primaries, transfer, 6)] } as const;
    return [true, false].flatMap((isFullRange) => {
      const kind = `${name}, monochrome, ${isFullRange ? 'full' : 'limited'} range`;
      const codes = [primaries, transfer, 6] as const;
      const recipe = { chroma: 'monochrome', isFullRange } as const;
      return [
        heic(`nclx of ${kind}`, { ...recipe, colr: [nclx(...codes, isFullRange)] }, shownAs),
        heic(`VUI of ${kind}`, { ...recipe, signal: { codes, isFullRange } }, shownAs),
        heic(
          `nclx of ${kind}, 10 bits`,
          { ...recipe, bits: 10, colr: [nclx(...codes, isFullRange)] },
          shownAs,
        ),
      ];
    });
  }),
  heic('no colours, monochrome', { chroma: 'monochrome', isFullRange: false }, { samples: 'monochrome' }),
  ...[true, false].map((isFullRange) =>
    heic(
      `RGB in ${isFullRange ? 'full' : 'limited'} range`,
      { matrix: 0, isFullRange, colr: [nclx(12, 13, 0, isFullRange)] },
      { colr: [nclx(12, 13, 6)] },
    ),
  ),
  heic(
    'an ICC profile',
    { colr: [prof(DISPLAY_P3)], signal: { isFullRange: true } },
    { colr: [prof(DISPLAY_P3)] },
  ),
  heic('an ICC profile and nclx', { colr: [prof(DISPLAY_P3), nclx(1, 8, 6)] }, { colr: [prof(DISPLAY_P3)] }),
  heic(
    'an ICC profile in limited range',
    { colr: [prof(TABLE)], isFullRange: false },
    { colr: [prof(TABLE)] },
  ),
  heic(
    'an ICC profile, 10 bits',
    { bits: 10, colr: [nclx(1, 13, 6), prof(DISPLAY_P3)] },
    { colr: [prof(DISPLAY_P3)] },
  ),
  heic('a broken ICC profile', { colr: [nclx(12, 13, 6), prof(TRUNCATED)] }, { colr: [nclx(12, 13, 6)] }),
  ...[true, false].map((isFullRange) =>
    heic(
      `an ICC profile of grey, ${isFullRange ? 'full' : 'limited'} range`,
      { chroma: 'monochrome', isFullRange, colr: [prof(GREY)], signal: { isFullRange } },
      { samples: 'monochrome', colr: [prof(GREY)] },
    ),
  ),
  ...['urn:com:apple:photo:2020:aux:hdrgainmap', 'urn:mpeg:mpegB:cicp:systems:auxiliary:depth'].map(
    (auxiliary) =>
      heic(
        `an auxiliary picture of ${auxiliary}`,
        { colr: [prof(DISPLAY_P3)], signal: { isFullRange: true }, chroma: '4:2:0', auxiliary },
        { colr: [prof(DISPLAY_P3)] },
      ),
  ),
  withGainMap('a base of SDR', nclx(12, 13, 6), false),
  withGainMap('a base of SDR in an ICC profile', prof(DISPLAY_P3), false),
  withGainMap('a base of PQ', nclx(9, 16, 6), true),
  withGainMap('a base of HLG', nclx(9, 18, 6), true),
];
