import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeBest } from '../../src/encode/encode-best.ts';
import type { EncoderSettings } from '../../src/encode/encodings.ts';
import { createMetric } from '../../src/encode/metric.ts';
import { readPixels } from '../../src/encode/pixels.ts';
import { createStill, type Still } from '../../src/encode/still.ts';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../src/protocol/request.ts';
import { photograph, print, screen } from '../support/pictures.ts';

const WIDTH = 480;
const metric = createMetric(1);

/** Drafts have less effort than any answer. */
const FINAL_EFFORT = { avif: 3, webp: 6, jpeg: 2 } as const;

const PICTURES = {
  'a photograph': photograph,
  'a soft photograph': async () =>
    sharp(await photograph())
      .blur(4)
      .png()
      .toBuffer(),
  'a noisy photograph': async () => noisy(await photograph()),
  'a printed page': print,
  'a screenshot': screen,
} satisfies Record<string, () => Promise<Uint8Array>>;

async function noisy(source: Uint8Array): Promise<Uint8Array> {
  const { width, height } = await sharp(source).metadata();
  const noise = {
    width,
    height,
    channels: 3,
    background: '#808080',
    noise: { type: 'gaussian', mean: 128, sigma: 30 },
  } as const;
  const input = await sharp({ create: noise }).png().toBuffer();
  return await sharp(source)
    .composite([{ input, blend: 'soft-light' }])
    .png()
    .toBuffer();
}

async function stillOf(source: Uint8Array): Promise<Still> {
  const pixels = await readPixels(sharp(source).resize({ width: WIDTH }).flatten());
  return await createStill({ pixels, metric, runWithPermit: (work) => work() });
}

/** Encodes variants of a still together, and returns the settings of all encodes that were not made before. */
async function encodesOf(
  source: Uint8Array,
  specs: readonly { format: Format; tier: Tier }[],
): Promise<{ lossy: EncoderSettings[]; drafts: EncoderSettings[]; scores: number[] }> {
  const still = await stillOf(source);
  const made = new Map<string, EncoderSettings>();
  const traced: Still = {
    ...still,
    encodeAndScore: (settings) => {
      made.set(JSON.stringify(settings), settings);
      return still.encodeAndScore(settings);
    },
  };
  const goals = specs.map((spec) => ({ ...spec, target: TIER_QUALITY[spec.tier].targetScore }));
  const candidates = await traced.withReference(() =>
    Promise.all(goals.map((goal) => encodeBest(traced, goal))),
  );
  const lossy = [...made.values()].filter((settings) => 'effort' in settings);
  const drafts = lossy.filter((settings) => settings.effort < FINAL_EFFORT[settings.encoding]);
  return { lossy, drafts, scores: candidates.map(({ score }) => score) };
}

function kindOf(settings: EncoderSettings, isDraft: boolean): string {
  const chroma = 'chroma' in settings ? settings.chroma : '';
  return [settings.encoding, chroma, isDraft ? 'draft' : 'final'].join(' ');
}

describe.each(Object.entries(PICTURES))('effort best for %s', (_, picture) => {
  it.each(FORMATS)('encodes no encoding of %s more than twice, after two drafts at most', async (format) => {
    const source = await picture();
    for (const tier of TIERS) {
      const { lossy, drafts } = await encodesOf(source, [{ format, tier }]);
      const counts = new Map<string, number>();
      for (const settings of lossy) {
        const kind = kindOf(settings, drafts.includes(settings));
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
      for (const count of counts.values()) expect(count).toBeLessThanOrEqual(2);
    }
  });
});

describe('effort best for a printed page without colours', () => {
  it('drafts a JPEG once, whether the lowest legible quality is far above the target or not', async () => {
    const source = await sharp(await print())
      .greyscale()
      .png()
      .toBuffer();
    for (const tier of TIERS) {
      const { drafts } = await encodesOf(source, [{ format: 'jpeg', tier }]);
      expect(drafts).toHaveLength(1);
    }
  });
});

describe('effort best for several variants', () => {
  it('shares drafts between formats, and makes of each variant what it is alone', async () => {
    const source = await photograph();
    const specs = FORMATS.flatMap((format) => TIERS.map((tier) => ({ format, tier })));
    const together = await encodesOf(source, specs);
    const alone = await Promise.all(specs.map((spec) => encodesOf(source, [spec])));
    const draftsAlone = alone.reduce((sum, { drafts }) => sum + drafts.length, 0);
    expect(together.drafts.length).toBeLessThanOrEqual(0.75 * draftsAlone);
    expect(together.scores).toEqual(alone.flatMap(({ scores }) => scores));
  });
});
