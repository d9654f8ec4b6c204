import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { type BmpKind, bmp, withInt32 } from '../support/bmp.ts';
import { alphaOfHalves, coloursOf, expectQuarters, near, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });
const SIZE = { width: 50, height: 34 };

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

/** The colour space of a header of version 5 for a profile in the file. */
const MBED = 0x4d424544;

/** Of run lengths, which take as many for each row and two at the end. */
function rowBytes(source: Buffer): number {
  return (source.length - 2 - source.readUInt32LE(10)) / SIZE.height;
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
    // The last row, which is at the top, becomes an end of the image.
    moving.set([0, 1], moving.length - 2 - rowBytes(moving));
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
    const row = rowBytes(source);
    // The run at the end of each row, before the end of line.
    for (let end = source.readUInt32LE(10) + row; end < source.length; end += row) source[end - 4] = 255;
    await expectQuarters((await encode(source)).body);
  });

  it('takes the upper four bits of a byte first', async () => {
    const plain = bmp(1, 1, { bits: 4 });
    const header = plain.subarray(0, plain.readUInt32LE(10));
    const runs = withInt32(Buffer.from(header), 30, 2);
    for (const source of [
      Buffer.concat([header, Buffer.from([0x12, 0, 0, 0])]),
      Buffer.concat([runs, Buffer.from([1, 0x12, 0, 1])]),
    ]) {
      const { channels } = await sharp((await encode(source)).body).stats();
      const [r = 0, g = 0, b = 0] = channels.map(({ mean }) => mean);
      expect({ r, g, b }).toEqual(near(QUARTERS[1]));
    }
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

  it('ignores an embedded profile that is empty or cut off', async () => {
    const source = bmp(SIZE.width, SIZE.height, { bits: 24, header: 124 });
    source.writeUInt32LE(MBED, 14 + 56);
    source.writeUInt32LE(source.length - 14, 14 + 112);
    for (const bytes of [0, 500]) {
      source.writeUInt32LE(bytes, 14 + 116);
      await expectQuarters((await encode(source)).body);
    }
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
