import { ColorSpace, type IMagickImage, type MagickFormat, Orientation } from '@imagemagick/magick-wasm';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { iccProfile } from '../support/icc.ts';
import { writeWithMagick } from '../support/magick.ts';
import { decodedPixels } from '../support/outcome.ts';
import { coloursOf, expectQuarters, QUARTERS, quarters } from '../support/pictures.ts';
import { type TiffRecipe, writeTiff } from '../support/tiff.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

const lossless = (image: IMagickImage) => {
  image.quality = 100;
};

/** ICC L*a*b* in planes. */
const LAB_TIFF: Omit<TiffRecipe, 'width' | 'height'> = {
  samples: 3,
  bits: 8,
  format: 1,
  photometric: 9,
  extra: undefined,
  isPlanar: true,
  isTiled: false,
  isBig: false,
  isLittle: true,
  compression: 1,
  predictor: 1,
  isShort: false,
};

function largestDifference(one: Buffer, other: Buffer): number {
  expect(one).toHaveLength(other.length);
  return one.reduce((most, level, index) => Math.max(most, Math.abs(level - (other[index] as number))), 0);
}

describe('decoding files that sharp does not', () => {
  it.each([
    ['JXL', 'image/jxl'],
    ['JP2', 'image/jp2'],
    ['J2K', 'image/jp2'],
    ['PSD', 'image/vnd.adobe.photoshop'],
    ['PSB', 'image/vnd.adobe.photoshop'],
  ] as [MagickFormat, string][])('shows %s', async (format, contentType) => {
    const source = await writeWithMagick(await quarters().png().toBuffer(), format, lossless);
    const image = await encode(source);
    expect(image.source).toEqual({ width: 96, height: 64, contentType, bytes: source.byteLength });
    expect(image).toMatchObject({ width: 96, height: 64 });
    await expectQuarters(image.body, 2);
  });

  it.each(['JXL', 'JP2', 'PSD'] as MagickFormat[])('refuses %s that is cut off', async (format) => {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: '#000', noise } });
    const source = await writeWithMagick(await picture.png().toBuffer(), format, lossless);
    expect(await encode(source)).toMatchObject({ width: 64, height: 64 });
    for (const share of [0.02, 0.5, 0.95]) {
      const cut = source.subarray(0, source.length * share);
      await expect(encode(cut), `cut at ${share}`).rejects.toMatchObject({ code: 'source_corrupt' });
    }
  });

  it.each(['JXL', 'JP2', 'PSD'] as MagickFormat[])('keeps the transparency of %s', async (format) => {
    const size = { width: 40, height: 40, channels: 4 } as const;
    const pixels = Buffer.alloc(size.width * size.height * size.channels, 255).fill(0, 0, 20 * 40 * 4);
    const png = await sharp(pixels, { raw: size }).png().toBuffer();
    const { channels } = await sharp(
      (await encode(await writeWithMagick(png, format, lossless))).body,
    ).stats();
    expect(channels[3]).toMatchObject({ min: 0, max: 255 });
  });

  it('turns a JPEG XL as its header says', async () => {
    const stored = await quarters(64, 96).png().toBuffer();
    const source = await writeWithMagick(stored, 'JXL', (image) => {
      lossless(image);
      image.orientation = Orientation.RightTop;
    });
    const image = await encode(source);
    expect(image).toMatchObject({ width: 96, height: 64, source: { width: 96, height: 64 } });
    const [topLeft, topRight] = await coloursOf(image.body);
    expect([topLeft, topRight]).toEqual([QUARTERS[2], QUARTERS[0]]);
  });

  it('converts a PSD in CMYK, and one in another RGB', async () => {
    const png = await quarters().png().toBuffer();
    const cmyk = await writeWithMagick(png, 'PSD', (image) => {
      image.colorSpace = ColorSpace.CMYK;
    });
    await expectQuarters((await encode(cmyk)).body, 3);
    const p3 = await quarters().withIccProfile('p3').png().toBuffer();
    const { icc } = await sharp(p3).metadata();
    expect(icc).toBeDefined();
    await expectQuarters((await encode(await writeWithMagick(p3, 'PSD'))).body, 3);
  });

  describe('a PSD in CMYK with a profile', () => {
    const inks = async (format: MagickFormat, profile?: Uint8Array, alpha = false) =>
      writeWithMagick(
        await (alpha ? quarters().ensureAlpha(0.5) : quarters()).png().toBuffer(),
        format,
        (image) => {
          image.colorSpace = ColorSpace.CMYK;
          if (profile) image.setProfile('icc', profile);
        },
      );
    const printer = async () => {
      const { icc } = await sharp(
        await quarters().toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer(),
      ).metadata();
      return icc as Buffer;
    };

    it('has the colours of a TIFF with the same inks and profile', async () => {
      const profile = await printer();
      const pixels = await decodedPixels(await inks('PSD', profile));
      expect(largestDifference(pixels, await decodedPixels(await inks('TIFF', profile)))).toBeLessThan(2);
      expect(largestDifference(pixels, await decodedPixels(await inks('PSD')))).toBeGreaterThan(20);
    });

    it('keeps its transparency', async () => {
      const pixels = await decodedPixels(await inks('PSD', await printer(), true));
      expect(pixels).toHaveLength(96 * 64 * 4);
      expect(Math.abs((pixels[3] as number) - 128)).toBeLessThan(2);
    });

    it('ignores one that is broken', async () => {
      const broken = (await printer()).subarray(0, 400);
      expect(await decodedPixels(await inks('PSD', broken))).toEqual(await decodedPixels(await inks('PSD')));
    });
  });

  it('shows L*a*b* of a PSD relative to D50, as a TIFF with the same numbers', async () => {
    const [width, height] = [40, 30];
    const tiff = writeTiff({ ...LAB_TIFF, width, height });
    const header = Buffer.alloc(26);
    header.write('8BPS\0\x01', 'latin1');
    header.writeUInt16BE(3, 12);
    header.writeUInt32BE(height, 14);
    header.writeUInt32BE(width, 18);
    header.writeUInt16BE(8, 22);
    header.writeUInt16BE(9, 24);
    // No palette, resources or layers, and no compression; the planes are those of the TIFF, which follow its header.
    const source = Buffer.concat([header, Buffer.alloc(14), tiff.subarray(8, 8 + 3 * width * height)]);
    const difference = largestDifference(await decodedPixels(source), await decodedPixels(tiff));
    expect(difference).toBeLessThanOrEqual(1);
  });

  it('applies the profile of a grey PSD', async () => {
    const grey = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#808080' } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const source = await writeWithMagick(grey, 'PSD', (image) => {
      image.colorSpace = ColorSpace.Gray;
      image.setProfile('icc', iccProfile({ space: 'GRAY', gamma: 1 }));
    });
    // ImageMagick says three channels of RGB in the header, and writes one of grey.
    source.writeUInt16BE(1, 12);
    source.writeUInt16BE(1, 24);
    expect([...(await decodedPixels(source)).subarray(0, 3)]).toEqual([188, 188, 188]);
  });

  it('refuses more pixels than are allowed before it decodes them', async () => {
    const j2k = await writeWithMagick(await quarters().png().toBuffer(), 'J2K');
    j2k.writeUInt32BE(60_000, 8);
    j2k.writeUInt32BE(60_000, 12);
    // SizeHeader: not small, 30 bits for the height, all set, and a width equal to it.
    const jxl = Buffer.from([0xff, 0x0a, 0b1111_1110, 0xff, 0xff, 0xff, 0b0000_0111, 0, 0, 0]);
    for (const source of [j2k, jxl])
      await expect(encode(source)).rejects.toMatchObject({ code: 'source_too_large' });
  });
});
