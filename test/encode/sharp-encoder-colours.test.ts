import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';
import { coloursOf, expectQuarters, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

async function encode(source: Uint8Array, request: Partial<EncodeRequest> = {}) {
  const wanted = { width: 1080, tier: 'high', format: 'webp', effort: 'fast', ...request } as const;
  const image = await encoder.decode(source, wanted.width, 'viewer');
  return { ...(await image.encode(wanted)), source: image.facts };
}

describe('the sharp encoder', () => {
  it('converts a source in any colour space to sRGB', async () => {
    const upright = await quarters(192, 128).png().toBuffer();
    const sources = {
      'Display P3': await sharp(upright).withIccProfile('p3').png().toBuffer(),
      CMYK: await sharp(upright)
        .toColourspace('cmyk')
        .withIccProfile('cmyk')
        .jpeg({ quality: 100 })
        .toBuffer(),
      '16 bits': await sharp(upright).toColourspace('rgb16').png().toBuffer(),
      '16 bits in Display P3': await sharp(upright)
        .toColourspace('rgb16')
        .withIccProfile('p3')
        .png()
        .toBuffer(),
      TIFF: await sharp(upright).tiff({ compression: 'lzw' }).toBuffer(),
    };
    for (const source of Object.values(sources)) {
      const { body } = await encode(source);
      const { icc, space, depth } = await sharp(body).metadata();
      expect({ icc, space, depth }).toEqual({ icc: undefined, space: 'srgb', depth: 'uchar' });
      // CMYK green is far from sRGB green, but much nearer than the inverted colours that a wrong conversion of CMYK gives.
      await expectQuarters(body, source === sources.CMYK ? 80 : 8);
    }
    expect(
      await coloursOf(await sharp(sources['Display P3'], { ignoreIcc: true }).png().toBuffer()),
    ).not.toEqual(await coloursOf((await encode(sources['Display P3'])).body));
  });

  it('keeps a grey source grey, with the same transparency', async () => {
    const grey = quarters().greyscale().toColourspace('b-w');
    const half = {
      create: { width: 96, height: 64, channels: 4, background: { r: 90, g: 90, b: 90, alpha: 0.5 } },
    } as const;
    const sources = [
      [await grey.clone().png().toBuffer(), 255],
      [await grey.clone().jpeg({ quality: 95 }).toBuffer(), 255],
      [await sharp(half).toColourspace('b-w').png().toBuffer(), 128],
      [await sharp(half).toColourspace('grey16').png().toBuffer(), 128],
    ] as const;
    for (const [source, alpha] of sources) {
      const { body } = await encode(source);
      const [before, after] = await Promise.all([coloursOf(source), coloursOf(body)]);
      before.forEach(({ r }, index) => {
        for (const channel of ['r', 'g', 'b'] as const) {
          expect(Math.abs(Number(after[index]?.[channel]) - r)).toBeLessThanOrEqual(6);
        }
      });
      const { channels } = await sharp(await sharp(body).ensureAlpha().png().toBuffer()).stats();
      expect(channels[3]?.mean).toBeCloseTo(alpha, -1);
    }
  });

  it('keeps transparency in AVIF and WebP, and flattens it on white in JPEG', async () => {
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

  it('converts the Display P3 of a HEIC that a phone wrote to sRGB', async () => {
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
});
