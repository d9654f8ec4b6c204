import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { type BmpKind, bmp, icon, iconBmp } from '../support/bmp.ts';
import { coloursOf, expectQuarters, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });
const SIZE = { width: 50, height: 34 };

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
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
    ['cut off within its header', (file: Buffer) => file.subarray(0, 22), 'source_corrupt'],
    [
      'of 60,000 by 60,000 pixels',
      (file: Buffer) => {
        file.writeInt32LE(60_000, 18);
        file.writeInt32LE(60_000, 22);
        return file;
      },
      'source_too_large',
    ],
  ] as const)('refuses a BMP %s', async (_what, damage, code) => {
    const source = damage(bmp(SIZE.width, SIZE.height, { bits: 24 }));
    await expect(encode(source)).rejects.toMatchObject({ code });
  });
});

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

  it('refuses an icon without a picture', async () => {
    await expect(encode(Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0]))).rejects.toMatchObject({
      code: 'source_corrupt',
    });
  });
});
