import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodedImage, EncodeRequest } from '../../src/encode/encoder.ts';
import { createMetric } from '../../src/encode/metric.ts';
import { flattenPixels, readPixels } from '../../src/encode/pixels.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { FORMATS, TIERS } from '../../src/protocol/request.ts';
import { photograph, print, screen } from '../support/pictures.ts';

const WIDTH = 480;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });
const metric = createMetric(1);

async function encode(source: Uint8Array, wanted: Partial<EncodeRequest> = {}): Promise<EncodedImage> {
  const image = await encoder.decode(source, WIDTH, 'prewarm');
  return await image.encode({ width: WIDTH, tier: 'balanced', format: 'avif', effort: 'best', ...wanted });
}

/** Scores a variant against its source, which is resized independently of the encoder. */
async function scoreOf(source: Uint8Array, { body, width, height }: EncodedImage): Promise<number> {
  const pixels = (image: Uint8Array) =>
    readPixels(sharp(image).autoOrient().resize(width, height, { fit: 'fill' })).then(flattenPixels);
  const original = metric.open(await pixels(source));
  const score = await original.score(await pixels(body));
  original.close();
  return score;
}

describe('effort best', () => {
  it.each(FORMATS)(
    'scores a photograph in %s at or slightly above the target of each tier',
    async (format) => {
      const source = await photograph();
      for (const tier of TIERS) {
        const image = await encode(source, { format, tier });
        const score = await scoreOf(source, image);
        expect(score).toBeGreaterThanOrEqual(TIER_QUALITY[tier].targetScore - 0.1);
        expect(score).toBeLessThan(TIER_QUALITY[tier].targetScore + 4);
        expect(image.score).toBeCloseTo(score, 0);
      }
    },
  );

  it('needs fewer bytes for a photograph than a higher-scoring encode with effort fast', async () => {
    const source = await photograph();
    for (const format of FORMATS) {
      const [best, fast] = [
        await encode(source, { format }),
        await encode(source, { format, effort: 'fast' }),
      ];
      expect(best).toMatchObject({ effort: 'best' });
      expect(fast).toMatchObject({ effort: 'fast', score: undefined });
      const isBetter = (await scoreOf(source, fast)) > (best.score as number);
      if (isBetter) expect(best.body.byteLength).toBeLessThan(fast.body.byteLength);
    }
  });

  it('gives the same bytes whether or not other tiers are encoded concurrently', async () => {
    const source = await photograph();
    const image = await encoder.decode(source, WIDTH, 'prewarm');
    for (const format of FORMATS) {
      const wanted = { width: WIDTH, tier: 'balanced', format, effort: 'best' } as const;
      const [, , concurrent] = await Promise.all(
        (['high', 'saver', 'balanced'] as const).map((tier) => image.encode({ ...wanted, tier })),
      );
      expect(Buffer.compare((concurrent as EncodedImage).body, (await encode(source, wanted)).body)).toBe(0);
    }
  });

  it('keeps transparency in AVIF and WebP, and flattens it in JPEG', async () => {
    const source = await sharp(await photograph())
      .resize(200, 200)
      .composite([
        {
          input: { create: { width: 100, height: 200, channels: 4, background: '#0000' } },
          blend: 'dest-in',
          gravity: 'west',
        },
      ])
      .png()
      .toBuffer();
    for (const format of FORMATS) {
      const image = await encode(source, { format });
      expect(image.score).toBeGreaterThanOrEqual(70);
      expect((await sharp(image.body).metadata()).hasAlpha).toBe(format !== 'jpeg');
    }
  });
});

describe('effort best with a budget in bytes', () => {
  it.each(FORMATS)('lowers the quality of %s no further than the budget requires', async (format) => {
    const source = await photograph();
    const [saver, high] = [
      await encode(source, { format, tier: 'saver' }),
      await encode(source, { format, tier: 'high' }),
    ];
    for (const share of [0.3, 0.6, 0.9]) {
      const [least, most] = [saver.body.byteLength, high.body.byteLength];
      const maxBytes = Math.round(least + share * (most - least));
      const within = await encode(source, { format, tier: 'high', maxBytes });
      expect(within.body.byteLength).toBeLessThanOrEqual(maxBytes);
      expect(within.body.byteLength).toBeGreaterThan(0.85 * maxBytes);
      expect(within.score).toBeGreaterThan(TIER_QUALITY.saver.targetScore);
    }
  });

  it('gives the same bytes as without a budget if these are within it', async () => {
    const source = await photograph();
    const free = await encode(source);
    const within = await encode(source, { maxBytes: free.body.byteLength });
    expect(Buffer.compare(free.body, within.body)).toBe(0);
  });

  it('gives the saver variant if the budget cannot be met', async () => {
    const source = await photograph();
    const saver = await encode(source, { tier: 'saver' });
    const least = await encode(source, { maxBytes: 100 });
    expect(Buffer.compare(saver.body, least.body)).toBe(0);
  });
});

describe('effort best for text', () => {
  it('encodes a screenshot without loss where that is smallest', async () => {
    const source = await screen();
    const webp = await encode(source, { format: 'webp' });
    expect(webp).toMatchObject({ contentType: 'image/webp', score: 100 });
    const jpeg = await encode(source, { format: 'jpeg' });
    expect(jpeg).toMatchObject({ contentType: 'image/png' });
    const avif = await encode(source, { format: 'avif' });
    expect(avif.body.byteLength).toBeLessThanOrEqual(webp.body.byteLength);
  });

  it('encodes a printed page at or above the target of saver in every format', async () => {
    const source = await print();
    for (const format of FORMATS) {
      const { score } = await encode(source, { format, tier: 'saver' });
      expect(score).toBeGreaterThanOrEqual(TIER_QUALITY.saver.targetScore);
    }
  });
});
