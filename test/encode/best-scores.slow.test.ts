import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { FORMATS, TIERS } from '../../src/protocol/request.ts';
import { photograph, print } from '../support/pictures.ts';

const WIDTH = 400;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

const grey = async () =>
  sharp(await photograph())
    .greyscale()
    .png()
    .toBuffer();
const soft = async () =>
  sharp(await photograph())
    .resize(160)
    .resize(WIDTH)
    .png()
    .toBuffer();
const dark = async () =>
  sharp(await photograph())
    .linear(0.35)
    .png()
    .toBuffer();
/** Grain of the same values each time. */
const grainy = async () => {
  const raw = { width: WIDTH, height: 300, channels: 3 } as const;
  const picture = sharp(await photograph()).resize(raw.width, raw.height);
  const data = await picture.raw().toBuffer();
  let state = 1;
  for (let at = 0; at < data.length; at++) {
    state = (state * 48_271) % 0x7fff_ffff;
    data[at] = Math.min(255, Math.max(0, (data[at] as number) + (state % 41) - 20));
  }
  return await sharp(data, { raw }).png().toBuffer();
};

/** Two encodes may end below the target, but never where it shows. */
const SHOWS = 2;

describe.each(Object.entries({ photograph, grey, soft, dark, grainy, print }))(
  'effort best for a picture of kind %s',
  (_, picture) => {
    it.each(FORMATS)('reaches the targets of all tiers in %s', async (format) => {
      const image = await encoder.decode(await picture(), WIDTH, 'prewarm');
      const request = { width: WIDTH, format, effort: 'best' } as const;
      const surpluses: number[] = [];
      for (const tier of TIERS) {
        const { score } = await image.encode({ ...request, tier });
        surpluses.push((score as number) - TIER_QUALITY[tier].targetScore);
      }
      for (const surplus of surpluses) expect(surplus).toBeGreaterThan(-SHOWS);
      expect(surpluses.filter((surplus) => surplus >= -0.1).length).toBeGreaterThanOrEqual(2);
    });
  },
);
