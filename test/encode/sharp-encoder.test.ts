import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS, TIERS } from '../../src/variant/request.ts';
import { coloursOf, photograph, QUARTERS, quarters } from './pictures.ts';

const MAX_PIXELS = 4_000_000;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: MAX_PIXELS });

function encode(source: Uint8Array, request: Partial<EncodeRequest> = {}) {
  return encoder.encode(source, { width: 1080, tier: 'high', format: 'webp', ...request });
}

/** How a picture has to be stored so that its EXIF orientation turns it upright. */
const STORED: ((upright: Sharp) => Sharp)[] = [
  (upright) => upright,
  (upright) => upright.flop(),
  (upright) => upright.rotate(180),
  (upright) => upright.flip(),
  (upright) => upright.rotate(270).flop(),
  (upright) => upright.rotate(270),
  (upright) => upright.rotate(90).flop(),
  (upright) => upright.rotate(90),
];

async function expectQuarters(body: Uint8Array, tolerance = 8) {
  const colours = await coloursOf(body);
  colours.forEach((colour, index) => {
    const right = QUARTERS[index as 0 | 1 | 2 | 3];
    for (const channel of ['r', 'g', 'b'] as const) {
      expect(
        Math.abs(colour[channel] - right[channel]),
        `quarter ${index}: ${JSON.stringify(colour)}`,
      ).toBeLessThanOrEqual(tolerance);
    }
  });
}

describe('an encoded image', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('stands upright from EXIF orientation %i', async (orientation) => {
    const turned = sharp(
      await (STORED[orientation - 1] as (typeof STORED)[number])(quarters()).png().toBuffer(),
    );
    const source = await turned
      .withMetadata({ orientation })
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const image = await encode(source);
    expect(image).toMatchObject({
      width: 96,
      height: 64,
      source: { width: 96, height: 64, contentType: 'image/jpeg' },
    });
    await expectQuarters(image.body);
  });

  it('is what its content type says, at the size that it says', async () => {
    const source = await photograph();
    for (const format of FORMATS) {
      const image = await encode(source, { format, width: 320 });
      const { format: real, compression, width, height } = await sharp(image.body).metadata();
      expect(image.contentType).toBe(`image/${format}`);
      expect(real === 'heif' ? compression : real).toBe(format === 'avif' ? 'av1' : format);
      expect({ width, height }).toEqual({ width: 320, height: 256 });
      expect(image).toMatchObject({ width, height, source: { bytes: source.byteLength } });
    }
  });

  it('weighs more in a higher tier, and always a fraction of the original', async () => {
    const source = await photograph();
    for (const format of FORMATS) {
      const sizes = await Promise.all(
        TIERS.map(async (tier) => (await encode(source, { format, tier, width: 720 })).body.length),
      );
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
      expect(sizes[2]).toBeLessThan(source.byteLength / 2);
    }
  });

  it('is in sRGB, whatever its source is in', async () => {
    const upright = await quarters(192, 128).png().toBuffer();
    const sources = {
      'Display P3': await sharp(upright).withIccProfile('p3').png().toBuffer(),
      CMYK: await sharp(upright)
        .toColourspace('cmyk')
        .withIccProfile('cmyk')
        .jpeg({ quality: 100 })
        .toBuffer(),
      '16 bits': await sharp(upright).toColourspace('rgb16').png().toBuffer(),
      TIFF: await sharp(upright).tiff({ compression: 'lzw' }).toBuffer(),
    };
    for (const source of Object.values(sources)) {
      const { body } = await encode(source);
      const { icc, space, depth } = await sharp(body).metadata();
      expect({ icc, space, depth }).toEqual({ icc: undefined, space: 'srgb', depth: 'uchar' });
      // A printer's green is far from a screen's, but nearer than the negative that CMYK easily becomes.
      await expectQuarters(body, source === sources.CMYK ? 80 : 8);
    }
    expect(await coloursOf(await sharp(sources['Display P3']).keepIccProfile().png().toBuffer())).not.toEqual(
      await coloursOf((await encode(sources['Display P3'])).body),
    );
  });

  it('carries no metadata, and no place above all', async () => {
    const source = await quarters()
      .withExif({
        IFD0: { Artist: 'someone' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' },
      })
      .withXmp(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>',
      )
      .jpeg()
      .toBuffer();
    expect((await sharp(source).metadata()).exif?.includes('someone')).toBe(true);
    for (const format of FORMATS) {
      const { exif, xmp, icc, iptc } = await sharp((await encode(source, { format })).body).metadata();
      expect({ exif, xmp, icc, iptc }).toEqual({});
    }
  });

  it('keeps transparency where its format can, and lies on white where it cannot', async () => {
    const half = await quarters().ensureAlpha(0.5).png().toBuffer();
    for (const format of ['avif', 'webp'] as const) {
      const { body } = await encode(half, { format });
      const { channels } = await sharp(body).stats();
      expect(channels).toHaveLength(4);
      expect(channels[3]?.mean).toBeCloseTo(128, -1);
    }
    const clear = await quarters().ensureAlpha(0).png().toBuffer();
    const flattened = await sharp((await encode(clear, { format: 'jpeg' })).body).stats();
    expect(flattened.channels.map(({ mean }) => mean)).toEqual([255, 255, 255]);
  });

  it('is never wider than its source', async () => {
    const image = await encode(await quarters(96, 64).png().toBuffer(), { width: 2048 });
    expect(image).toMatchObject({ width: 96, height: 64 });
  });

  it('is made smaller where its encoding cannot be as high', async () => {
    const strip = await sharp({ create: { width: 40, height: 20_000, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    const image = await encode(strip);
    expect(image.contentType).toBe('image/webp');
    expect(image.height).toBeLessThanOrEqual(16_383);
    expect(image.width / image.height).toBeCloseTo(40 / 20_000, 4);
  });

  it('still moves when its source does, at the same pace', async () => {
    const frames = await Promise.all(
      QUARTERS.map((background) =>
        sharp({ create: { width: 64, height: 48, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const source = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [100, 200, 300, 400], loop: 3 })
      .toBuffer();
    for (const [format, type] of [
      ['avif', 'webp'],
      ['webp', 'webp'],
      ['jpeg', 'gif'],
    ] as const) {
      const image = await encode(source, { format, width: 32 });
      expect(image).toMatchObject({
        contentType: `image/${type}`,
        width: 32,
        height: 24,
        source: { width: 64, height: 48 },
      });
      const { pages, delay, loop } = await sharp(image.body, { animated: true }).metadata();
      expect({ pages, delay, loop }).toEqual({ pages: 4, delay: [100, 200, 300, 400], loop: 3 });
    }
  });

  it('comes from what phones write, in the colours that these mean', async () => {
    const heic = await readFile(new URL('./fixtures/quadrants-display-p3.heic', import.meta.url));
    for (const format of FORMATS) {
      const image = await encode(heic, { format });
      expect(image).toMatchObject({
        width: 96,
        height: 64,
        source: { contentType: 'image/heic', width: 96, height: 64 },
      });
      await expectQuarters(image.body, 12);
      expect((await sharp(image.body).metadata()).hasAlpha).toBe(false);
    }
  });

  it('is the same from the same source', async () => {
    const source = await photograph();
    for (const format of FORMATS) {
      const [one, another] = await Promise.all([
        encode(source, { format, width: 320 }),
        encode(source, { format, width: 320 }),
      ]);
      expect(Buffer.compare(one.body, another.body)).toBe(0);
    }
  });
});
