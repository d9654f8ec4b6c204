import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS, TIERS } from '../../src/protocol/request.ts';
import { expectQuarters, photograph, quarters } from '../support/pictures.ts';

const MAX_PIXELS = 4_000_000;
const encoder = createSharpEncoder({ concurrency: 2, maxPixels: MAX_PIXELS });

async function encode(source: Uint8Array, request: Partial<EncodeRequest> = {}) {
  const wanted = { width: 1080, tier: 'high', format: 'webp', effort: 'fast', ...request } as const;
  const image = await encoder.decode(source, wanted.width, 'viewer');
  return { ...(await image.encode(wanted)), source: image.facts };
}

/** Transforms an upright image to how it is stored with each EXIF orientation, from 1 to 8. */
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

describe('the sharp encoder', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'turns a source with EXIF orientation %i upright',
    async (orientation) => {
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
    },
  );

  it('encodes variants with the content type and size that it declares', async () => {
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

  it('makes variants larger in a higher tier, and smaller than half of the original in all tiers', async () => {
    const source = await photograph();
    for (const format of FORMATS) {
      const sizes = await Promise.all(
        TIERS.map(async (tier) => (await encode(source, { format, tier, width: 720 })).body.length),
      );
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
      expect(sizes[2]).toBeLessThan(source.byteLength / 2);
    }
  });

  it('leaves all metadata out of variants, above all the location', async () => {
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

  it('never makes a variant wider than its source', async () => {
    const image = await encode(await quarters(96, 64).png().toBuffer(), { width: 2048 });
    expect(image).toMatchObject({ width: 96, height: 64 });
  });

  it('scales a variant down to the maximum height of its encoding', async () => {
    const strip = await sharp({ create: { width: 40, height: 20_000, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    const image = await encode(strip);
    expect(image.contentType).toBe('image/webp');
    expect(image.height).toBeLessThanOrEqual(16_383);
    expect(image.width / image.height).toBeCloseTo(40 / 20_000, 4);
  });

  it('keeps the frames, delays and repetitions of an animation', async () => {
    const photo = sharp(await photograph());
    const parts = [0, 100, 200, 300].map((left) =>
      photo.clone().extract({ left, top: 0, width: 320, height: 240 }),
    );
    const source = await sharp(await Promise.all(parts.map((part) => part.png().toBuffer())), {
      join: { animated: true },
    })
      .gif({ delay: [100, 200, 300, 400], loop: 3 })
      .toBuffer();
    for (const [format, type] of [
      ['avif', 'webp'],
      ['webp', 'webp'],
      ['jpeg', 'gif'],
    ] as const) {
      const image = await encode(source, { format, width: 160 });
      expect(image).toMatchObject({
        contentType: `image/${type}`,
        width: 160,
        height: 120,
        source: { width: 320, height: 240 },
      });
      const { pages, delay, loop } = await sharp(image.body, { animated: true }).metadata();
      expect({ pages, delay, loop }).toEqual({ pages: 4, delay: [100, 200, 300, 400], loop: 3 });
    }
  });

  it('gives the same bytes each time for the same source', async () => {
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
