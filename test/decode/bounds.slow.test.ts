import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { joinPng, jpegSegment, pngChunk, splitPng } from '../support/file-faults.ts';
import { jpegOfManyScans } from '../support/hostile-jpeg.ts';
import { quarters } from '../support/pictures.ts';

const MAX_PIXELS = 100_000_000;

/** Exif whose only directory is named again by each of its entries. */
function loopingExif(entries: number): Buffer {
  const tiff = Buffer.alloc(10 + 12 * entries + 4);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(entries, 8);
  for (let entry = 0; entry < entries; entry++) {
    const at = 10 + 12 * entry;
    const [tag, type, count, value] = entry === 0 ? [274, 3, 1, 6] : [0x8769, 4, 1, 8];
    tiff.writeUInt16LE(tag, at);
    tiff.writeUInt16LE(type, at + 2);
    tiff.writeUInt32LE(count, at + 4);
    tiff.writeUInt32LE(value, at + 8);
  }
  return tiff;
}

const TYPES = {
  jpeg: () => quarters().jpeg(),
  png: () => quarters().png(),
  webp: () => quarters().webp(),
} as const;
const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];

async function uprightPixels(bytes: Uint8Array): Promise<Buffer> {
  return await sharp(bytes).autoOrient().raw().toBuffer();
}

describe('metadata of an original', () => {
  it.each(NAMES)('is left out before a decoder reads it, all but its orientation: %s', async (name) => {
    for (const orientation of [1, 3, 6, 8]) {
      const file = await TYPES[name]()
        .withMetadata({ orientation })
        .withExif({ IFD0: { Artist: 'x'.repeat(5000) } })
        .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${'y'.repeat(5000)}</x:xmpmeta>`)
        .toBuffer();
      const { bytes, metadata, facts } = await inspectSource(file, MAX_PIXELS);
      expect(file.length - bytes.length).toBeGreaterThan(5000);
      expect(metadata.orientation ?? 1).toBe(orientation);
      expect(facts.bytes).toBe(file.length);
      expect((await uprightPixels(bytes)).equals(await uprightPixels(file))).toBe(true);
      expect((await inspectSource(bytes, MAX_PIXELS)).bytes.length).toBeLessThanOrEqual(bytes.length);
    }
  });

  it.each(NAMES)('leaves the colours in the file: %s', async (name) => {
    const file = await TYPES[name]()
      .withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'a' } })
      .toBuffer();
    const { metadata } = await inspectSource(file, MAX_PIXELS);
    expect(metadata.icc).toEqual((await sharp(file).metadata()).icc);
  });

  it('of a JPEG that names itself thousands of times is not followed', async () => {
    const jpeg = await quarters().jpeg().toBuffer();
    const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), loopingExif(5000)]);
    const file = Buffer.concat([jpeg.subarray(0, 2), jpegSegment(0xe1, exif), jpeg.subarray(2)]);
    const { bytes, facts } = await inspectSource(file, MAX_PIXELS);
    expect(bytes.length).toBeLessThan(jpeg.length + 100);
    expect(facts).toMatchObject({ width: 64, height: 96 });
  });

  it('of a PNG is not decompressed', async () => {
    const [header, ...chunks] = splitPng(await quarters().png().toBuffer());
    if (!header) throw new Error('no header');
    const text = pngChunk({
      type: 'zTXt',
      data: Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(1e6))]),
    });
    const many = Array.from({ length: 50 }, () => text);
    const file = joinPng([pngChunk(header), ...many, ...chunks.map((chunk) => pngChunk(chunk))]);
    const { bytes } = await inspectSource(file, MAX_PIXELS);
    expect(Buffer.from(bytes).includes('zTXt')).toBe(false);
    expect((await uprightPixels(bytes)).equals(await uprightPixels(file))).toBe(true);
  });
});

describe('the scans of a JPEG', () => {
  it('are too much work where they go over many blocks hundreds of times', async () => {
    await expect(inspectSource(jpegOfManyScans(9968), MAX_PIXELS)).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringMatching(/9968×9968 .* the first \d+ of them/),
    });
  });

  it('may be as many in a small image', async () => {
    const { facts } = await inspectSource(jpegOfManyScans(1024), MAX_PIXELS);
    expect(facts).toMatchObject({ width: 1024, height: 1024 });
  });

  it('are none too many of 24 megapixels as an encoder writes them', async () => {
    const flat = sharp({ create: { width: 6000, height: 4000, channels: 3, background: '#375' } });
    const file = await flat.jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer();
    const { facts } = await inspectSource(file, MAX_PIXELS);
    expect(facts).toMatchObject({ width: 6000, height: 4000 });
  });
});
