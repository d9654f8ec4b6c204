import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { animation, photograph, quarters } from '../support/pictures.ts';

const LOCATION = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' } };

async function servableOriginalOf(source: Uint8Array) {
  return servableOriginal(await inspectSource(source, 4_000_000));
}

const ENCODED: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  jpeg: (image) => image.jpeg(),
  'progressive jpeg': (image) => image.jpeg({ progressive: true, mozjpeg: true }),
  'grey jpeg': (image) => image.greyscale().jpeg(),
  png: (image) => image.png(),
  'palette png': (image) => image.png({ palette: true }),
  webp: (image) => image.webp(),
  'lossless webp': (image) => image.webp({ lossless: true }),
  gif: (image) => image.gif(),
  avif: (image) => image.avif({ effort: 0, chromaSubsampling: '4:2:0' }),
};

describe('making a servable original', () => {
  it.each(Object.entries(ENCODED))('copies a %s without metadata byte for byte', async (_name, encode) => {
    const source = await encode(quarters()).toBuffer();
    expect(Buffer.compare((await servableOriginalOf(source))?.body as Uint8Array, source)).toBe(0);
  });

  it.each(['jpeg', 'progressive jpeg', 'png', 'webp', 'lossless webp'])(
    'strips the metadata of a %s and keeps its pixels',
    async (name) => {
      const plain = quarters();
      const source = await (ENCODED[name] as (image: Sharp) => Sharp)(
        plain.withExif(LOCATION).withIccProfile('srgb'),
      ).toBuffer();
      const body = (await servableOriginalOf(source))?.body as Uint8Array;
      expect(body.byteLength).toBeLessThan(source.byteLength);
      const { exif, icc, xmp } = await sharp(body).metadata();
      expect({ exif, icc, xmp }).toEqual({});
      const [before, after] = await Promise.all([source, body].map((one) => sharp(one).raw().toBuffer()));
      expect(Buffer.compare(before as Buffer, after as Buffer)).toBe(0);
    },
  );

  it('strips comments and anything after the end of the image', async () => {
    const source = await quarters().jpeg().toBuffer();
    const comment = Buffer.from('\xff\xfe\0\x0esecret place', 'latin1');
    const told = Buffer.concat([
      source.subarray(0, 2),
      comment,
      source.subarray(2),
      Buffer.from('a motion photo'),
    ]);
    expect(Buffer.compare((await servableOriginalOf(told))?.body as Uint8Array, source)).toBe(0);
    const png = await quarters().png().toBuffer();
    const more = Buffer.concat([png, Buffer.from('more')]);
    expect(Buffer.compare((await servableOriginalOf(more))?.body as Uint8Array, png)).toBe(0);
  });

  it.each([
    ['a GIF that ends after an empty application extension', 'gif', '21ff00', '3b'],
    ['a JPEG that ends after an empty JFIF segment', 'jpeg', 'ffe00002', 'ffd9'],
  ] as const)('does not read beyond the end of %s', async (_name, type, segment, end) => {
    const source = await quarters()[type]().toBuffer();
    const atEnd = Buffer.concat([
      source.subarray(0, -end.length / 2),
      Buffer.from(segment, 'hex'),
      Buffer.from(end, 'hex'),
    ]);
    const body = (await servableOriginalOf(atEnd))?.body as Uint8Array;
    const [before, after] = await Promise.all([source, body].map((one) => sharp(one).raw().toBuffer()));
    expect(Buffer.compare(before as Buffer, after as Buffer)).toBe(0);
  });

  it('returns undefined for a PNG whose last chunk claims to be longer than the file', async () => {
    const png = await quarters().png().toBuffer();
    png.writeUInt32BE(0xffff_ffff, png.lastIndexOf('IEND') - 4);
    expect(await servableOriginalOf(png)).toBeUndefined();
  });

  it('keeps the frames, delays and repetitions of an animation', async () => {
    for (const kind of ['gif', 'webp'] as const) {
      const animated = await animation(16, 16);
      const source = await animated[kind]({ loop: 3, delay: [100, 200, 300, 400] }).toBuffer();
      const body = (await servableOriginalOf(source))?.body as Uint8Array;
      const { pages, loop, delay } = await sharp(body, { animated: true }).metadata();
      expect({ pages, loop, delay }).toEqual({ pages: 4, loop: 3, delay: [100, 200, 300, 400] });
    }
  });

  it('returns undefined for a source that would look different from its variants', async () => {
    const others = {
      'on its side': quarters().jpeg().withMetadata({ orientation: 6 }),
      'in Display P3': quarters().png().withIccProfile('p3'),
      'in CMYK': quarters().toColourspace('cmyk').withIccProfile('cmyk').jpeg(),
      'a TIFF': quarters().tiff(),
      'an AVIF with metadata': quarters().avif({ effort: 0 }).withExif(LOCATION),
      'an AVIF with a profile': quarters().avif({ effort: 0 }).withIccProfile('srgb'),
    };
    for (const [name, image] of Object.entries(others)) {
      expect(await servableOriginalOf(await image.toBuffer()), name).toBeUndefined();
    }
  });

  it('copies a PNG of 16 bits, which clients show in 8', async () => {
    const png = await quarters().toColourspace('rgb16').png().toBuffer();
    expect((await servableOriginalOf(png))?.encoding).toBe('png');
  });

  it('returns undefined for a PNG with a gamma of its own', async () => {
    const png = await quarters().png().toBuffer();
    // After IHDR, which always ends there.
    const gamma = Buffer.from(`00000004${Buffer.from('gAMA').toString('hex')}000186a031e8965f`, 'hex');
    const told = Buffer.concat([png.subarray(0, 33), gamma, png.subarray(33)]);
    expect(await servableOriginalOf(told)).toBeUndefined();
  });

  it('keeps the pixels of a photograph and strips what the camera added', async () => {
    const source = await photograph();
    const body = (await servableOriginalOf(source))?.body as Uint8Array;
    expect(body.byteLength).toBeLessThanOrEqual(source.byteLength);
    const [before, after] = await Promise.all([source, body].map((one) => sharp(one).raw().toBuffer()));
    expect(Buffer.compare(before as Buffer, after as Buffer)).toBe(0);
  });
});
