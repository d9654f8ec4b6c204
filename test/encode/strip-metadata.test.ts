import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/encode/inspect.ts';
import { photograph, QUARTERS, quarters } from '../support/pictures.ts';

const WHERE = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' } };

async function servableBytes(source: Uint8Array) {
  return (await inspectSource(source, 4_000_000)).servableOriginal();
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
  avif: (image) => image.avif({ effort: 0 }),
};

describe('a source', () => {
  it.each(Object.entries(ENCODED))(
    'is passed on byte for byte if it is a plain %s',
    async (_name, encode) => {
      const source = await encode(quarters()).toBuffer();
      expect(Buffer.compare((await servableBytes(source))?.body as Uint8Array, source)).toBe(0);
    },
  );

  it.each(['jpeg', 'progressive jpeg', 'png', 'webp', 'lossless webp'])(
    'loses its metadata and no pixel on the way if it is a %s',
    async (name) => {
      const plain = quarters();
      const source = await (ENCODED[name] as (image: Sharp) => Sharp)(
        plain.withExif(WHERE).withIccProfile('srgb'),
      ).toBuffer();
      const body = (await servableBytes(source))?.body as Uint8Array;
      expect(body.byteLength).toBeLessThan(source.byteLength);
      const { exif, icc, xmp } = await sharp(body).metadata();
      expect({ exif, icc, xmp }).toEqual({});
      const [before, after] = await Promise.all([source, body].map((one) => sharp(one).raw().toBuffer()));
      expect(Buffer.compare(before as Buffer, after as Buffer)).toBe(0);
    },
  );

  it('loses what follows its end, and its comments', async () => {
    const source = await quarters().jpeg().toBuffer();
    const comment = Buffer.from('\xff\xfe\0\x0esecret place', 'latin1');
    const told = Buffer.concat([
      source.subarray(0, 2),
      comment,
      source.subarray(2),
      Buffer.from('a motion photo'),
    ]);
    expect(Buffer.compare((await servableBytes(told))?.body as Uint8Array, source)).toBe(0);
    const png = await quarters().png().toBuffer();
    const more = Buffer.concat([png, Buffer.from('more')]);
    expect(Buffer.compare((await servableBytes(more))?.body as Uint8Array, png)).toBe(0);
  });

  it('keeps moving, as often as it said', async () => {
    const frames = await Promise.all(
      QUARTERS.map((background) =>
        sharp({ create: { width: 16, height: 16, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    for (const kind of ['gif', 'webp'] as const) {
      const moving = sharp(frames, { join: { animated: true } });
      const source = await moving[kind]({ loop: 3, delay: [100, 200, 300, 400] }).toBuffer();
      const body = (await servableBytes(source))?.body as Uint8Array;
      const { pages, loop, delay } = await sharp(body, { animated: true }).metadata();
      expect({ pages, loop, delay }).toEqual({ pages: 4, loop: 3, delay: [100, 200, 300, 400] });
    }
  });

  it('is not passed on where it would look otherwise than its variants', async () => {
    const others = {
      'on its side': quarters().jpeg().withMetadata({ orientation: 6 }),
      'in Display P3': quarters().png().withIccProfile('p3'),
      'in CMYK': quarters().toColourspace('cmyk').withIccProfile('cmyk').jpeg(),
      'of 16 bits': quarters().toColourspace('rgb16').png(),
      'a TIFF': quarters().tiff(),
      'an AVIF with metadata': quarters().avif({ effort: 0 }).withExif(WHERE),
    };
    for (const [name, image] of Object.entries(others)) {
      expect(await servableBytes(await image.toBuffer()), name).toBeUndefined();
    }
  });

  it('is not passed on with a scale of brightness of its own', async () => {
    const png = await quarters().png().toBuffer();
    // After IHDR, which always ends there.
    const gamma = Buffer.from(`00000004${Buffer.from('gAMA').toString('hex')}000186a031e8965f`, 'hex');
    const told = Buffer.concat([png.subarray(0, 33), gamma, png.subarray(33)]);
    expect(await servableBytes(told)).toBeUndefined();
  });

  it('is passed on from a camera without what the camera wrote', async () => {
    const source = await photograph();
    const body = (await servableBytes(source))?.body as Uint8Array;
    expect(body.byteLength).toBeLessThanOrEqual(source.byteLength);
    const [before, after] = await Promise.all([source, body].map((one) => sharp(one).raw().toBuffer()));
    expect(Buffer.compare(before as Buffer, after as Buffer)).toBe(0);
  });
});
