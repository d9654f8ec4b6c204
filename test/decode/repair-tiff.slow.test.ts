import { ColorSpace, MagickFormat } from '@imagemagick/magick-wasm';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { writeWithMagick } from '../support/magick.ts';
import { decodedPixels, outcomeOf } from '../support/outcome.ts';
import { expectQuarters, quarters } from '../support/pictures.ts';
import { type RawEntry, type TiffRecipe, writeTiff } from '../support/tiff.ts';

const RGB: TiffRecipe = {
  width: 40,
  height: 30,
  samples: 3,
  bits: 8,
  format: 1,
  photometric: 2,
  extra: undefined,
  isPlanar: false,
  isTiled: false,
  isBig: false,
  isLittle: true,
  compression: 1,
  predictor: 1,
  isShort: false,
};
const ascii = (tag: number, text: string): RawEntry => ({
  tag,
  type: 2,
  count: text.length,
  data: Buffer.from(text, 'latin1'),
});
const short = (tag: number, value: number, type = 3): RawEntry => ({
  tag,
  type,
  count: 1,
  data: Buffer.from([value & 255, value >> 8]),
});

describe('a TIFF with tags that libtiff warns of', () => {
  it.each<[string, RawEntry[], boolean]>([
    ['tags in descending order', [ascii(305, 'a program\0')], false],
    ['a text with a NUL in it', [ascii(271, 'Make\0r\0')], true],
    ['a text without a NUL, as drones of DJI write it', [ascii(271, 'DJI Mavic')], true],
    ['an unknown tag', [short(60_000, 7)], true],
    ['a tag of an unknown type', [short(33_550, 7, 99)], true],
    ['a resolution of the wrong type', [short(282, 72)], true],
    ['the bits of one sample only', [short(258, 8)], true],
    ['no lengths of strips', [short(279, 0)], true],
    ['an orientation that does not exist', [short(274, 77)], true],
  ])('is decoded as the healthy one: %s', async (_, entries, isSorted) => {
    const pixels = await decodedPixels(writeTiff(RGB, entries, isSorted));
    expect(pixels.equals(await decodedPixels(writeTiff(RGB)))).toBe(true);
  });

  it('is source_corrupt if pixels are missing', async () => {
    expect(await outcomeOf(writeTiff({ ...RGB, isShort: true }))).toBe('source_corrupt');
  });

  it('keeps its orientation and its profile', async () => {
    const photo = sharp({ create: { width: 30, height: 20, channels: 3, background: '#a52' } });
    const file = await photo.withMetadata({ orientation: 6 }).withIccProfile('p3').tiff().toBuffer();
    expect(await outcomeOf(file)).toBe('image');
    const [red = 0] = await decodedPixels(file);
    // The same numbers are another red without the profile.
    expect(Math.abs(red - 0xaa)).toBeLessThan(3);
  });
});

describe('a TIFF with more samples than colours', () => {
  const variants = [
    {},
    { isPlanar: true },
    { isTiled: true },
    { isBig: true },
    { isLittle: false },
    { compression: 8 },
    { bits: 16 },
    { bits: 16, isLittle: false },
  ];

  it.each(variants)('has the colours of one without the others: %j', async (variant) => {
    for (const [photometric, colours] of [
      [1, 1],
      [2, 3],
      [5, 4],
    ] as const) {
      const plain = { ...RGB, ...variant, photometric, samples: colours };
      const expected = await decodedPixels(writeTiff(plain));
      for (const extra of [[0], [0, 0], [0, 0, 0]]) {
        const file = writeTiff({ ...plain, samples: colours + extra.length, extra });
        expect((await decodedPixels(file)).equals(expected), `${photometric} with ${extra.length}`).toBe(
          true,
        );
      }
    }
  });

  it('has the transparency among them', async () => {
    const expected = await decodedPixels(writeTiff({ ...RGB, samples: 4, extra: [2] }));
    expect(expected.length).toBe(40 * 30 * 4);
    expect(await decodedPixels(writeTiff({ ...RGB, samples: 5, extra: [2, 0] }))).toEqual(expected);
    const last = await decodedPixels(writeTiff({ ...RGB, samples: 6, extra: [0, 0, 2] }));
    expect(last.length).toBe(expected.length);
  });
});

describe('a TIFF in planes that are stored in tiles', () => {
  const kinds: [string, Partial<TiffRecipe>][] = [
    ['RGB', {}],
    ['16 bits, compressed', { bits: 16, compression: 8 }],
    ['big-endian BigTIFF', { isBig: true, isLittle: false, bits: 16 }],
    ['transparency', { samples: 4, extra: [2] }],
    ['a sample that is no colour', { samples: 4, extra: [0] }],
    ['that and transparency', { samples: 5, extra: [0, 2] }],
    ['grey from white to black, with transparency', { samples: 2, extra: [2], photometric: 0 }],
    ['CMYK', { samples: 4, photometric: 5 }],
  ];
  it.each(kinds)('has the pixels of one with all samples of a pixel together: %s', async (_, kind) => {
    const recipe = { ...RGB, ...kind, width: 32, height: 16, isTiled: true, predictor: 1 };
    // All tiles of a generated TIFF are alike, so that each plane has the gradient of the first sample.
    const pixels = await decodedPixels(writeTiff({ ...recipe, isPlanar: true }));
    const isGrey = recipe.photometric === 0;
    const one = await decodedPixels(
      writeTiff({ ...recipe, samples: 1, extra: undefined, photometric: isGrey ? 0 : 1 }),
    );
    const hasAlpha = recipe.extra?.includes(2) ?? false;
    expect(pixels.length).toBe(32 * 16 * (hasAlpha ? 4 : 3));
    if (recipe.photometric === 5) return;
    const channels = hasAlpha ? 4 : 3;
    for (let pixel = 0; pixel < 32 * 16; pixel++)
      expect(pixels[pixel * channels], `pixel ${pixel}`).toBe(one[pixel * (one.length / (32 * 16))]);
  });

  it('is upright, and source_corrupt if it is cut off', async () => {
    const planar = { ...RGB, width: 32, height: 16, isTiled: true, isPlanar: true };
    const { facts } = await inspectSource(writeTiff(planar, [short(274, 6)]), 1e6);
    expect(facts).toMatchObject({ width: 16, height: 32 });
    expect(await outcomeOf(writeTiff({ ...planar, isShort: true }))).toBe('source_corrupt');
  });
});

/** Returns a TIFF of samples with 32 bits, each of which takes a row of 16 pixels. */
function rowsOf32Bits(rows: readonly number[], kind: Partial<TiffRecipe>): Buffer {
  const recipe = { ...RGB, samples: 1, photometric: 1, ...kind, bits: 32, width: 16, height: rows.length };
  const file = writeTiff(recipe);
  for (const [row, value] of rows.entries())
    for (let sample = 0; sample < 16 * recipe.samples; sample++) {
      const at = 8 + 4 * (row * 16 * recipe.samples + sample);
      if (recipe.format === 3) recipe.isLittle ? file.writeFloatLE(value, at) : file.writeFloatBE(value, at);
      else recipe.isLittle ? file.writeUInt32LE(value, at) : file.writeUInt32BE(value, at);
    }
  return file;
}

async function levelsOfRows(file: Buffer): Promise<number[]> {
  const pixels = await decodedPixels(file);
  const { facts } = await inspectSource(file, 1e6);
  const rowBytes = pixels.length / facts.height;
  return Array.from({ length: facts.height }, (_, row) => pixels[row * rowBytes] as number);
}

describe('a TIFF with samples of 32 bits', () => {
  it.each([true, false])(
    'shows the highest bits of whole numbers, in grey and in RGB (little-endian: %s)',
    async (isLittle) => {
      const rows = [0, 0x40ffffff, 0x80000000, 0xffffffff];
      const levels = [0, 0x40, 0x80, 0xff];
      expect(await levelsOfRows(rowsOf32Bits(rows, { isLittle }))).toEqual(levels);
      expect(await levelsOfRows(rowsOf32Bits(rows, { isLittle, photometric: 0 }))).toEqual([
        255, 191, 127, 0,
      ]);
      expect(await levelsOfRows(rowsOf32Bits(rows, { isLittle, samples: 3, photometric: 2 }))).toEqual(
        levels,
      );
    },
  );

  it('takes grey in floating point for linear light from 0 to 1, as RGB', async () => {
    const rows = [-1, 0, 0.05, 0.2158605, 0.5, 1, 7, Number.NaN];
    const grey = await levelsOfRows(rowsOf32Bits(rows, { format: 3 }));
    expect(grey).toEqual([0, 0, 63, 128, 188, 255, 255, 0]);
    const rgb = await levelsOfRows(
      rowsOf32Bits(rows.slice(0, -1), { format: 3, samples: 3, photometric: 2 }),
    );
    for (const [row, level] of rgb.entries()) expect(Math.abs(level - (grey[row] as number))).toBeLessThan(2);
  });

  it('is refused by name with transparency, and grey as floating point of 16 bits', async () => {
    for (const kind of [
      { samples: 2, extra: [2], photometric: 1, format: 3, bits: 32 },
      { samples: 4, extra: [2], bits: 32 },
      { samples: 1, photometric: 1, format: 3, bits: 16 },
    ])
      expect(await outcomeOf(writeTiff({ ...RGB, ...kind }))).toBe('source_not_image');
  });
});

describe('a TIFF that lacks its last bytes', () => {
  it.each([1, 20, 200])(
    'is source_corrupt, although a directory is written behind it (%i)',
    async (length) => {
      // As most programs write it, the directory is before the pixels.
      const width = 40;
      const file = writeTiff({ ...RGB, width });
      const pixels = file.subarray(8, 8 + width * 30 * 3);
      const directory = Buffer.from(file.subarray(8 + pixels.length));
      const moved = Buffer.alloc(8 + pixels.length + directory.length);
      const at = moved.length - pixels.length;
      file.copy(moved, 0, 0, 8);
      moved.writeUInt32LE(8, 4);
      // The values outside of the directory lie behind it: they move, as the pixels do.
      const count = directory.readUInt16LE(0);
      for (let entry = 0; entry < count; entry++) {
        const valueAt = 2 + 12 * entry + 8;
        const value = directory.readUInt32LE(valueAt);
        if (directory.readUInt16LE(2 + 12 * entry) === 273) directory.writeUInt32LE(at, valueAt);
        else if (value >= 8 + pixels.length) directory.writeUInt32LE(value - pixels.length, valueAt);
      }
      directory.copy(moved, 8);
      pixels.copy(moved, at);
      expect(await outcomeOf(moved)).toBe('image');
      expect(await outcomeOf(moved.subarray(0, -length))).toBe('source_corrupt');
    },
  );
});

describe('a TIFF of YCbCr that is not compressed as JPEG', () => {
  /** One sample of chroma for each pixel. */
  const NOT_SUBSAMPLED: RawEntry = { tag: 530, type: 3, count: 2, data: Buffer.from([1, 0, 1, 0]) };

  it.each([
    ['uncompressed', 1],
    ['deflated', 8],
  ])('is converted to RGB: %s', async (_, compression) => {
    const samples = await decodedPixels(writeTiff(RGB));
    const pixels = await decodedPixels(writeTiff({ ...RGB, photometric: 6, compression }, [NOT_SUBSAMPLED]));
    let worst = 0;
    for (let at = 0; at < samples.length; at += 3) {
      const [luma, cb, cr] = [...samples.subarray(at, at + 3)] as [number, number, number];
      // ITU-R BT.601, the default of TIFF 6.0, section 21.
      const rgb = [
        luma + 1.402 * (cr - 128),
        luma - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
        luma + 1.772 * (cb - 128),
      ];
      for (const [channel, value] of rgb.entries()) {
        const expected = Math.min(255, Math.max(0, value));
        worst = Math.max(worst, Math.abs(expected - (pixels[at + channel] as number)));
      }
    }
    expect(pixels).toHaveLength(samples.length);
    expect(worst).toBeLessThanOrEqual(3);
  });
});

describe('a TIFF of L*a*b*', () => {
  /** From XYZ relative to D50 to linear sRGB, by the Bradford transform. */
  const FROM_D50 = [
    [3.13386, -1.61687, -0.49061],
    [-0.97877, 1.91614, 0.03345],
    [0.07195, -0.22899, 1.40524],
  ] as const;

  async function shownOf(file: Buffer): Promise<Buffer> {
    const raw = { width: 96, height: 64, channels: 3 } as const;
    return sharp(await decodedPixels(file), { raw })
      .png()
      .toBuffer();
  }

  /** Returns L*, a* and b* of samples; those of 16 bits are written as twice the same byte. */
  function labOf(samples: number[], photometric: number, bits: number): [number, number, number] {
    const fraction = bits === 16 ? 257 / 256 : 1;
    const [lightness, a, b] = samples.map((value) => value * fraction) as [number, number, number];
    if (photometric === 9) return [(lightness / 255) * 100, a - 128, b - 128];
    const signed = (value: number) => (value < 128 ? value : value - 256);
    return [(lightness / fraction / 255) * 100, signed(a), signed(b)];
  }

  /** Returns the sRGB of a colour. */
  function srgbOf([lightness, a, b]: [number, number, number]): number[] {
    const y = (lightness + 16) / 116;
    const xyz = [y + a / 500, y, y - b / 200].map((f) =>
      f > 6 / 29 ? f ** 3 : (f - 16 / 116) * (108 / 841),
    );
    const [x, luminance, z] = xyz.map((value, at) => value * ([0.9642, 1, 0.8251][at] as number)) as [
      number,
      number,
      number,
    ];
    return FROM_D50.map(([one, two, three]) => {
      const light = Math.min(1, Math.max(0, one * x + two * luminance + three * z));
      return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);
    });
  }

  it.each<[string, Partial<TiffRecipe>]>([
    ['uncompressed', {}],
    ['deflated', { compression: 8 }],
    ['in tiles', { isTiled: true }],
    ['in planes', { isPlanar: true }],
    ['in planes, with more samples', { isPlanar: true, samples: 5, extra: [0, 0] }],
    ['with more samples', { samples: 5, extra: [0, 0] }],
    ['of 16 bits', { bits: 16 }],
    ['of 16 bits, big-endian', { bits: 16, isLittle: false }],
    ['that is a BigTIFF', { isBig: true }],
    ['with signed numbers', { format: 2 }],
  ])('is converted to sRGB: %s', async (_, variant) => {
    const { isPlanar = false, isTiled = false, bits = 8 } = variant;
    const samples = await decodedPixels(writeTiff({ ...RGB, isPlanar, isTiled }));
    for (const photometric of [8, 9]) {
      const pixels = await decodedPixels(writeTiff({ ...RGB, ...variant, photometric }));
      expect(pixels).toHaveLength(samples.length);
      let worst = 0;
      for (let at = 0; at < samples.length; at += 3) {
        const expected = srgbOf(labOf([...samples.subarray(at, at + 3)], photometric, bits));
        for (const [channel, level] of expected.entries())
          worst = Math.max(worst, Math.abs(level - (pixels[at + channel] as number)));
      }
      expect(worst, `${photometric}`).toBeLessThanOrEqual(1.5);
    }
  });

  it('keeps its transparency, and its orientation', async () => {
    const turned = { tag: 274, type: 3, count: 1, data: Buffer.from([6, 0]) };
    const file = writeTiff({ ...RGB, photometric: 8, samples: 4, extra: [2] }, [turned]);
    expect((await decodedPixels(file)).length).toBe(40 * 30 * 4);
    expect((await inspectSource(file, 4_000_000)).facts).toMatchObject({ width: 30, height: 40 });
  });

  it.each([
    // Its numbers are rounded, which shows most in dark channels of strong colours.
    ['8 bits', 8, 14],
    ['16 bits', 16, 5],
  ] as const)(
    'has the white that the file says, as ImageMagick writes it: %s',
    async (_, depth, tolerance) => {
      const file = await writeWithMagick(await quarters().png().toBuffer(), MagickFormat.Tiff, (image) => {
        image.depth = depth;
        image.colorSpace = ColorSpace.Lab;
      });
      await expectQuarters(await shownOf(file), tolerance);
    },
  );

  it.each(['lab', 'labs'])('has the colours of libvips, if that wrote it: %s', async (space) => {
    const file = await quarters().toColourspace(space).tiff({ compression: 'lzw' }).toBuffer();
    await expectQuarters(await shownOf(file), 1);
  });
});

describe('a TIFF of a kind that is not decoded', () => {
  it.each<[string, Partial<TiffRecipe>]>([
    ['LZMA', { compression: 34_925 }],
    ['old-style JPEG', { compression: 6 }],
    ['ITU L*a*b*', { photometric: 10 }],
    ['ICC L*a*b* in floating point', { photometric: 9, format: 3, bits: 32 }],
    ['the values of a sensor', { photometric: 32_803, samples: 1 }],
    ['three inks', { photometric: 5 }],
    ['samples of 12 bits', { bits: 12 }],
    ['samples of 4 bits in colour', { bits: 4 }],
    ['numbers of 64 bits', { bits: 64, format: 3 }],
    ['complex numbers', { format: 6, bits: 64 }],
    ['floating point with extra samples', { format: 3, bits: 32, samples: 5, extra: [0, 0] }],
  ])('is source_not_image: %s', async (_, kind) => {
    expect(await outcomeOf(writeTiff({ ...RGB, ...kind }))).toBe('source_not_image');
  });
});
