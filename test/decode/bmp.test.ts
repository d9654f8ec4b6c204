import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { type BmpKind, bmp, type IconEntry, icon, iconBmp } from '../support/bmp.ts';
import { coloursOf, expectQuarters, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });
const SIZE = { width: 50, height: 34 };

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

/** The colour space of a header of version 5 for a profile in the file. */
const MBED = 0x4d424544;

function withInt32(file: Buffer, at: number, value: number): Buffer {
  file.writeInt32LE(value, at);
  return file;
}

/** Returns the largest alpha of the left and of the right half of an image, a few pixels from their border. */
async function alphaOfHalves(image: Uint8Array): Promise<number[]> {
  const { width, height } = await sharp(image).metadata();
  return await Promise.all(
    [0, width / 2 + 4].map(async (left) => {
      const area = { left, top: 0, width: width / 2 - 4, height };
      const { channels } = await sharp(
        await sharp(image).ensureAlpha().extract(area).png().toBuffer(),
      ).stats();
      return channels[3]?.max as number;
    }),
  );
}

describe('decoding BMP', () => {
  const kinds: BmpKind[] = [
    { bits: 4 },
    { bits: 4, isRunLength: true },
    { bits: 8 },
    { bits: 8, isRunLength: true },
    { bits: 8, header: 12 },
    { bits: 16 },
    { bits: 24 },
    { bits: 24, header: 12 },
    { bits: 24, isTopDown: true },
    { bits: 32 },
    { bits: 32, header: 108 },
    { bits: 32, header: 124, isTopDown: true },
    { bits: 2 },
    { bits: 8, header: 16 },
    { bits: 8, header: 64 },
    { bits: 24, header: 64, isRunLength: true },
    { bits: 4, isRunLength: true, isTopDown: true },
    { bits: 8, isRunLength: true, isTopDown: true },
    { bits: 16, masks: [0xf800, 0x07e0, 0x001f, 0] },
    { bits: 16, header: 56, masks: [0x7c00, 0x03e0, 0x001f, 0x8000] },
    { bits: 16, header: 124, masks: [0x001f, 0xf800, 0x07e0, 0] },
    { bits: 32, masks: [0xff000000, 0x0000ff00, 0x000000ff, 0x00ff0000] },
    { bits: 32, header: 52, masks: [0xffe00000, 0x001ffc00, 0x000003ff, 0] },
    { bits: 32, header: 124, masks: [0x0fc00000, 0x003fffe0, 0x0000001f, 0xf0000000] },
  ];
  it.each(kinds)('shows the colours of %o', async (kind) => {
    const source = bmp(SIZE.width, SIZE.height, kind);
    const image = await encode(source);
    expect(image).toMatchObject(SIZE);
    expect(image.source).toEqual({ ...SIZE, contentType: 'image/bmp', bytes: source.byteLength });
    await expectQuarters(image.body);
  });

  it('shows two colours of one bit', async () => {
    const { body } = await encode(bmp(SIZE.width, SIZE.height, { bits: 1 }));
    const [left, right] = await coloursOf(body);
    expect([left, right]).toEqual(QUARTERS.slice(0, 2));
  });

  it('takes the fourth byte of a pixel for transparency only if the header has a mask for it', async () => {
    for (const compression of [0, 3]) {
      const half = bmp(SIZE.width, SIZE.height, { bits: 32, header: 124, alpha: 0 });
      half.writeUInt32LE(compression, 30);
      const { channels } = await sharp((await encode(half)).body).stats();
      expect(channels[3]).toMatchObject({ min: 0, max: 255 });
    }
    for (const alpha of [0, 100])
      await expectQuarters((await encode(bmp(SIZE.width, SIZE.height, { bits: 32, alpha }))).body);
  });

  it('takes alpha of any mask, behind the header and in it', async () => {
    const kinds: BmpKind[] = [
      { bits: 32, masks: [0xff0000, 0x00ff00, 0x0000ff, 0xff000000] },
      { bits: 16, header: 56, masks: [0x0f00, 0x00f0, 0x000f, 0xf000] },
      { bits: 16, header: 124, masks: [0x7c00, 0x03e0, 0x001f, 0x8000] },
    ];
    for (const kind of kinds) {
      const { body } = await encode(bmp(SIZE.width, SIZE.height, { ...kind, alpha: 0 }));
      expect(await alphaOfHalves(body), JSON.stringify(kind)).toEqual([0, 255]);
    }
  });

  it('shows colours beyond the palette, and pixels that run lengths leave out, in black', async () => {
    const short = bmp(SIZE.width, SIZE.height, { bits: 8 });
    short.writeUInt32LE(1, 46);
    const moving = bmp(SIZE.width, SIZE.height, { bits: 8, isRunLength: true });
    const row = moving.length - 2 - 6;
    // The last row, which is at the top, after an end of the image.
    moving.set([0, 1], row);
    for (const source of [short, moving]) {
      const { data, info } = await sharp((await encode(source)).body)
        .raw()
        .toBuffer({ resolveWithObject: true });
      const topRight = (info.width - 1) * info.channels;
      expect(Math.max(...data.subarray(topRight, topRight + 3))).toBeLessThan(16);
    }
  });

  it('ends run lengths that are too long with their row', async () => {
    const source = bmp(SIZE.width, SIZE.height, { bits: 8, isRunLength: true });
    // The second run of each row.
    for (let at = source.readUInt32LE(10) + 2; at + 6 <= source.length; at += 6) source[at] = 255;
    await expectQuarters((await encode(source)).body);
  });

  it('converts an embedded profile to sRGB', async () => {
    const { icc } = await sharp(await quarters().withIccProfile('p3').png().toBuffer()).metadata();
    const source = bmp(SIZE.width, SIZE.height, { bits: 24, header: 124 });
    const before = await coloursOf((await encode(source)).body);
    source.writeUInt32LE(MBED, 14 + 56);
    source.writeUInt32LE(source.length - 14, 14 + 112);
    source.writeUInt32LE((icc as Buffer).length, 14 + 116);
    const after = await coloursOf((await encode(Buffer.concat([source, icc as Buffer]))).body);
    // The red of Display P3 is more saturated.
    expect((after[0] as { r: number }).r).toBeGreaterThan((before[0] as { r: number }).r + 4);
  });

  it('ignores planes and unused colours in the header', async () => {
    const source = bmp(SIZE.width, SIZE.height, { bits: 8 });
    source.writeUInt16LE(3, 26);
    source.writeUInt32LE(300, 46);
    await expectQuarters((await encode(source)).body);
  });

  it('does not go by the size of the file in the header', async () => {
    for (const bytes of [0, 70, 1e6]) {
      const source = bmp(SIZE.width, SIZE.height, { bits: 24 });
      source.writeUInt32LE(bytes, 2);
      await expectQuarters((await encode(source)).body);
    }
  });

  it.each([
    ['cut off', (file: Buffer) => file.subarray(0, file.length >> 1), 'source_corrupt'],
    ['without its last row', (file: Buffer) => file.subarray(0, -SIZE.width * 3), 'source_corrupt'],
    [
      'with half of its run lengths',
      () => bmp(SIZE.width, SIZE.height, { bits: 8, isRunLength: true }).subarray(0, -100),
      'source_corrupt',
    ],
    [
      'with half of its palette',
      () => bmp(SIZE.width, SIZE.height, { bits: 8 }).subarray(0, 14 + 40 + 512),
      'source_corrupt',
    ],
    ['with a negative width', (file: Buffer) => withInt32(file, 18, -50), 'source_corrupt'],
    ['cut off within its header', (file: Buffer) => file.subarray(0, 22), 'source_corrupt'],
    [
      'of 60,000 by 60,000 pixels',
      (file: Buffer) => withInt32(withInt32(file, 18, 60_000), 22, 60_000),
      'source_too_large',
    ],
  ] as const)('refuses a BMP %s', async (_what, damage, code) => {
    const source = damage(bmp(SIZE.width, SIZE.height, { bits: 24 }));
    await expect(encode(source)).rejects.toMatchObject({ code });
  });
});

/** Returns the picture of an icon with 0 in all fourth bytes, as old programs write it. */
function withoutAlpha(picture: IconEntry): IconEntry {
  const bytes = Buffer.from(picture.bytes);
  for (let pixel = 0; pixel < picture.width * picture.height; pixel++) bytes[40 + 4 * pixel + 3] = 0;
  return { ...picture, bytes };
}

describe('decoding icons', () => {
  it.each(['icon', 'cursor'] as const)('shows the largest picture of an %s', async (kind) => {
    const source = icon([iconBmp(16, 16, 8), iconBmp(48, 32, 24), iconBmp(32, 32, 32)], kind);
    const image = await encode(source);
    expect(image).toMatchObject({ width: 48, height: 32, source: { contentType: 'image/x-icon' } });
    await expectQuarters(image.body);
  });

  it('shows a PNG in an icon, whose size of 256 is stored as 0', async () => {
    const png = await quarters(256, 256).png().toBuffer();
    const source = icon([iconBmp(48, 48, 24), { width: 256, height: 256, bytes: png }]);
    const image = await encode(source);
    expect(image).toMatchObject({
      width: 256,
      height: 256,
      source: { contentType: 'image/x-icon', bytes: source.byteLength },
    });
    await expectQuarters(image.body);
  });

  it.each([
    ['the mask', iconBmp(32, 32, 8, { isMasked: true })],
    ['the mask, without alpha', iconBmp(32, 32, 24, { isMasked: true })],
    ['the mask, where all alpha is 0', withoutAlpha(iconBmp(32, 32, 32, { isMasked: true }))],
    ['alpha', iconBmp(32, 32, 32, { alpha: 0 })],
  ])('takes transparency from %s', async (_what, picture) => {
    for (const kind of ['icon', 'cursor'] as const) {
      const { body } = await encode(icon([picture], kind));
      expect(await alphaOfHalves(body)).toEqual([0, 255]);
    }
  });

  it('shows an icon without its mask, with a wrong length or number of colours, or with a height that is not doubled', async () => {
    const picture = iconBmp(32, 32, 24);
    const whole = icon([picture]);
    const maskless = whole.subarray(0, -32 * 4);
    const short = withInt32(icon([picture]), 6 + 8, 8);
    const single = withInt32(Buffer.from(maskless), 22 + 8, 32);
    // Colours that 24 bits do not need.
    const unused = withInt32(icon([picture]), 22 + 32, 1000);
    for (const source of [maskless, short, single, unused]) {
      const image = await encode(source);
      expect(image).toMatchObject({ width: 32, height: 32 });
      await expectQuarters(image.body);
    }
  });

  it('shows the deepest of several pictures of one size', async () => {
    const image = await encode(icon([iconBmp(32, 32, 1), iconBmp(32, 32, 24), iconBmp(32, 32, 4)], 'cursor'));
    await expectQuarters(image.body);
  });

  it('refuses an icon whose picture is cut off, or larger than the limit', async () => {
    const whole = icon([iconBmp(32, 32, 24)]);
    const large = withInt32(withInt32(Buffer.from(whole), 22 + 4, 65_535), 22 + 8, 65_535);
    await expect(encode(whole.subarray(0, 2000))).rejects.toMatchObject({ code: 'source_corrupt' });
    await expect(encode(large)).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringContaining('65535×32767 pixels'),
    });
  });

  it('refuses an icon without a picture', async () => {
    await expect(encode(Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0]))).rejects.toMatchObject({
      code: 'source_corrupt',
    });
  });
});
