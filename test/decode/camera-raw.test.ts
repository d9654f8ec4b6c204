import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { cameraRaw, canonRaw3, fujifilmRaw, losslessJpeg } from '../support/camera-raw.ts';
import { coloursOf, expectQuarters, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

function jpegOf(width: number, height: number): Promise<Buffer> {
  return quarters(width, height).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
}

const thumbnail = await sharp({ create: { width: 160, height: 120, channels: 3, background: '#000' } })
  .jpeg()
  .toBuffer();
const preview = await jpegOf(480, 320);
const turned = await sharp(preview).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
const data = [thumbnail, preview, losslessJpeg(4000, 3000)];

/** Values of PhotometricInterpretation: RGB, and a colour filter array. */
const [RGB, CFA] = [2, 32_803];
const dng = (orientation: number) =>
  cameraRaw({
    entries: [
      [254, 1],
      [262, RGB],
      [274, orientation],
      [50_706, 0x0401],
    ],
    data,
  });

const files: [contentType: string, file: Buffer][] = [
  ['image/x-adobe-dng', dng(1)],
  ['image/x-canon-cr2', cameraRaw({ name: 'CR\x02\0\0\0\0\0', entries: [[274, 1]], data })],
  ['image/x-canon-cr3', canonRaw3(preview, 1)],
  [
    'image/x-nikon-nef',
    cameraRaw({
      entries: [
        [254, 1],
        [262, RGB],
        [271, 'NIKON CORPORATION'],
      ],
      subEntries: [[262, CFA]],
      data,
    }),
  ],
  [
    'image/x-sony-arw',
    cameraRaw({
      entries: [
        [262, RGB],
        [271, 'SONY'],
      ],
      subEntries: [[262, CFA]],
      data,
    }),
  ],
  [
    'image/x-pentax-pef',
    cameraRaw({
      entries: [
        [262, CFA],
        [271, 'PENTAX Corporation'],
      ],
      data,
    }),
  ],
  ['image/x-samsung-srw', cameraRaw({ entries: [[271, 'SAMSUNG']], subEntries: [[262, CFA]], data })],
  ['image/x-olympus-orf', cameraRaw({ signature: 'IIRO', entries: [[274, 1]], data })],
  ['image/x-panasonic-rw2', cameraRaw({ signature: 'IIU\0', entries: [[274, 1]], data })],
  ['image/x-fuji-raf', fujifilmRaw(preview)],
];

describe('decoding camera RAW', () => {
  it.each(files)('shows the largest preview of %s', async (contentType, file) => {
    const image = await encode(file);
    expect(image.source).toEqual({ width: 480, height: 320, contentType, bytes: file.byteLength });
    await expectQuarters(image.body);
  });

  it.each([
    ['a DNG', dng(6)],
    ['a CR3', canonRaw3(preview, 6)],
    ['a RAF, whose preview says it', fujifilmRaw(turned)],
  ])('turns the preview by the orientation of %s', async (_what, file) => {
    const image = await encode(file);
    expect(image.source).toMatchObject({ width: 320, height: 480 });
    const nearest = (await coloursOf(image.body)).map(({ r, g, b }) =>
      QUARTERS.findIndex((one) => Math.abs(one.r - r) + Math.abs(one.g - g) + Math.abs(one.b - b) < 30),
    );
    expect(nearest).toEqual([2, 0, 3, 1]);
  });

  it("prefers the orientation of the file to the preview's own, and leaves its Exif out", async () => {
    const file = cameraRaw({
      entries: [
        [274, 1],
        [50_706, 0x0401],
      ],
      data: [turned],
    });
    await expectQuarters((await encode(file)).body);
  });

  it.each([
    [
      'only a thumbnail',
      cameraRaw({ entries: [[50_706, 0x0401]], data: [thumbnail, losslessJpeg(4000, 3000)] }),
    ],
    ['its end missing', dng(1).subarray(0, 60)],
  ])('refuses RAW with %s by name', async (_what, file) => {
    await expect(encode(file)).rejects.toMatchObject({
      code: 'source_not_image',
      message: expect.stringContaining('camera RAW'),
    });
  });

  it('refuses a preview that is cut off', async () => {
    const file = cameraRaw({ entries: [[50_706, 0x0401]], data: [preview.subarray(0, preview.length >> 1)] });
    await expect(encode(file)).rejects.toMatchObject({ code: 'source_corrupt' });
  });

  it('leaves a TIFF with a JPEG inside to the decoder of TIFF', async () => {
    const tiff = await quarters().tiff({ compression: 'jpeg', quality: 95 }).toBuffer();
    expect((await encode(tiff)).source).toMatchObject({ contentType: 'image/tiff', width: 96, height: 64 });
  });
});
