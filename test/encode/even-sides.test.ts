import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import type { Format } from '../../src/protocol/request.ts';
import { cut } from '../support/avif.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 5_000_000 });

async function variant(source: Uint8Array, width: number, format: Format) {
  const image = await encoder.decode(source, width, 'viewer');
  const encoded = await image.encode({ width, tier: 'balanced', format, effort: 'fast' });
  const { width: realWidth, height: realHeight } = await sharp(encoded.body).metadata();
  // What is reported is what is sent.
  expect([realWidth, realHeight]).toEqual([encoded.width, encoded.height]);
  return encoded;
}

describe('the sides of a variant', () => {
  it.each([
    // The source, the requested width, and the size in `avif` and in the other formats.
    [{ width: 601, height: 403 }, 320, '320×214', '320×215'],
    [{ width: 600, height: 403 }, 320, '320×214', '320×215'],
    [{ width: 600, height: 404 }, 320, '320×214', '320×215'],
    [{ width: 161, height: 120 }, 320, '160×120', '161×120'],
    [{ width: 161, height: 121 }, 320, '160×120', '161×121'],
    [{ width: 320, height: 121 }, 320, '320×120', '320×121'],
    [{ width: 600, height: 404 }, 321, '320×216', '321×216'],
    [{ width: 1, height: 1 }, 320, '1×1', '1×1'],
    [{ width: 1, height: 301 }, 320, '1×300', '1×301'],
    [{ width: 1200, height: 3 }, 320, '320×1', '320×1'],
    [{ width: 1200, height: 2 }, 1200, '1200×2', '1200×2'],
  ] as const)(
    'of %o at %i are even in avif, and exact in webp and jpeg',
    async (size, width, even, exact) => {
      const source = await cut(size.width, size.height);
      const sizeIn = async (format: Format) => {
        const { width: w, height: h } = await variant(source, width, format);
        return `${w}×${h}`;
      };
      expect([await sizeIn('avif'), await sizeIn('webp'), await sizeIn('jpeg')]).toEqual([
        even,
        exact,
        exact,
      ]);
    },
  );

  it('lose their last column and row at the size of the source, and lines stay where they are', async () => {
    const [width, height] = [481, 361];
    const data = Buffer.alloc(width * height * 3, 255);
    for (let i = 0; i < width * height; i++)
      if ((i % width) % 60 === 59 || Math.floor(i / width) % 40 === 1) data.fill(40, 3 * i, 3 * i + 3);
    const raw = { width, height, channels: 3 } as const;
    const source = await sharp(data, { raw }).tiff().toBuffer();
    const image = await encoder.decode(source, 720, 'viewer');
    const { body } = await image.encode({ width: 720, tier: 'high', format: 'avif', effort: 'fast' });
    const decoded = await sharp(body).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(decoded.info).toMatchObject({ width: 480, height: 360 });
    const kept = sharp(data, { raw }).extract({ left: 0, top: 0, width: 480, height: 360 });
    const expected = await kept.raw().toBuffer();
    const differences = expected.map((level, at) => Math.abs(level - (decoded.data[at] as number)));
    // Resizing by a pixel would move lines, by up to 255 levels.
    expect(differences.reduce((most, one) => Math.max(most, one), 0)).toBeLessThan(64);
  });
});
