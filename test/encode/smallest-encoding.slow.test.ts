import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { EFFORTS, type EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';
import { apng } from '../support/apng.ts';
import { animation, form, photograph, screen } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 40_000_000 });

async function encode(source: Uint8Array, request: Partial<EncodeRequest> = {}) {
  const wanted = { width: 480, tier: 'balanced', format: 'avif', effort: 'fast', ...request } as const;
  return await (await encoder.decode(source, wanted.width, 'viewer')).encode(wanted);
}

/** Returns the number of colours of an image. */
async function coloursOf(image: Uint8Array): Promise<number> {
  const pixels = await sharp(image).removeAlpha().toColourspace('srgb').raw().toBuffer();
  const colours = new Set<number>();
  for (let at = 0; at < pixels.length; at += 3) colours.add(pixels.readUIntBE(at, 3));
  return colours.size;
}

describe('an original with fewer bytes than its variant', () => {
  it('is sent at its own size, without metadata, whatever width was asked for', async () => {
    const source = await sharp(await form())
      .withExif({ IFD0: { Artist: 'someone' } })
      .png({ palette: true, colours: 4, dither: 0 })
      .toBuffer();
    for (const format of FORMATS) {
      for (const effort of EFFORTS) {
        const image = await encode(source, { format, effort });
        expect(image.body.byteLength).toBeLessThan(source.byteLength);
        expect(Buffer.from(image.body).includes('someone')).toBe(false);
        const { width, height } = await sharp(image.body).metadata();
        expect(image).toMatchObject({ width, height });
        expect(width).toBeLessThanOrEqual(1280);
      }
    }
  });

  it('is sent where an animation is narrower', async () => {
    const source = await (await animation(64, 48)).gif({ delay: [100, 200, 300, 400] }).toBuffer();
    for (const format of FORMATS) {
      const image = await encode(source, { format, width: 32 });
      expect(image.body.byteLength).toBeLessThanOrEqual(source.byteLength);
      expect((await sharp(image.body, { animated: true }).metadata()).pages).toBe(4);
    }
  });

  it('is not sent with far more pixels than were asked for', async () => {
    // Fine lines: a few hundred bytes without loss, and thousands when they are resized.
    const lines = async (side: number) => {
      const data = Buffer.alloc(side * side * 3, 255);
      for (let i = 0; i < side * side; i++)
        if (((i % side) + Math.floor(i / side)) % 43 < 12) data.fill(20, 3 * i, 3 * i + 3);
      const raw = { width: side, height: side, channels: 3 } as const;
      return await sharp(data, { raw }).webp({ lossless: true, effort: 2 }).toBuffer();
    };
    const [far, near] = [await lines(2049), await lines(2048)];
    expect(await encode(near, { width: 160 })).toMatchObject({ isOriginal: true, width: 2048 });
    const narrow = await encode(far, { width: 160 });
    expect(narrow).toMatchObject({ isOriginal: false, width: 160 });
    expect(narrow.body.byteLength).toBeGreaterThan(far.byteLength);
    // Less than four times the pixels that were asked for.
    expect(await encode(far, { width: 1080 })).toMatchObject({ isOriginal: true, width: 2049 });
  });

  it('is not sent if it is turned by metadata: not all clients would turn it', async () => {
    const source = await sharp(await photograph())
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 10 })
      .toBuffer();
    const image = await encode(source, { width: 1080, tier: 'high' });
    expect(image).toMatchObject({ isOriginal: false, width: 818, height: 1024 });
  });
});

describe('a drawing of few colours', () => {
  it('keeps few colours when it is resized, with far fewer bytes than lossy encodings need', async () => {
    // Its JPEG cannot be sent in its place, since it has more bytes.
    const source = await sharp(await form())
      .jpeg({ quality: 98, chromaSubsampling: '4:4:4' })
      .toBuffer();
    for (const effort of EFFORTS) {
      const image = await encode(source, { format: 'jpeg', effort });
      expect(image).toMatchObject({ contentType: 'image/png', width: 480 });
      expect(await coloursOf(image.body)).toBeLessThanOrEqual(256);
      const lossy = await sharp(source).resize(480).jpeg({ quality: 60, mozjpeg: true }).toBuffer();
      expect(image.body.byteLength).toBeLessThan(lossy.byteLength / 2);
    }
  });

  it('is sent with all of its pixels, without loss, where these have fewer bytes than a narrower variant', async () => {
    // Resizing turns the fine lines into a pattern of many shades.
    const [width, height] = [1280, 900];
    const data = Buffer.alloc(width * height * 3, 255);
    for (let i = 0; i < width * height; i++)
      if (((i % width) + Math.floor(i / width)) % 7 < 2) data.fill(20, 3 * i, 3 * i + 3);
    const drawn = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const source = await sharp(drawn).tiff({ compression: 'lzw' }).toBuffer();
    for (const format of FORMATS) {
      for (const effort of EFFORTS) {
        const image = await encode(source, { format, effort });
        expect(image.width).toBe(1280);
        const exact = sharp(drawn).extract({ left: 0, top: 0, width: image.width, height: image.height });
        const pixels = (one: Sharp) => one.removeAlpha().toColourspace('srgb').raw().toBuffer();
        expect((await pixels(sharp(image.body))).equals(await pixels(exact))).toBe(true);
      }
    }
  });

  it('does not lose shades to a palette', async () => {
    const width = 600;
    const data = Buffer.alloc(width * width * 3);
    for (let i = 0; i < width * width; i++)
      data.fill(Math.floor(((i % width) / width) * 100) * 2, 3 * i, 3 * i + 3);
    const source = await sharp(data, { raw: { width, height: width, channels: 3 } })
      .tiff({ compression: 'lzw' })
      .toBuffer();
    for (const effort of EFFORTS) {
      const { body } = await encode(source, { format: 'jpeg', effort });
      expect(await coloursOf(body)).toBeGreaterThan(60);
    }
  });
});

describe('a picture of few colours that is dithered', () => {
  it('is encoded without loss where lossy encodings have more bytes, as a fax is', async () => {
    const [width, height] = [480, 384];
    const grey = await sharp(await photograph())
      .resize(width, height)
      .greyscale()
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    // Each dot passes its error on to the next one. Shades near the middle have the shortest runs of one colour.
    let error = 0;
    const dots = grey.map((value) => {
      const level = 64 + value / 2;
      const dot = level + error < 128 ? 0 : 255;
      error += level - dot;
      return dot;
    });
    const source = await sharp(dots, { raw: { width, height, channels: 1 } })
      .tiff({ compression: 'deflate' })
      .toBuffer();
    for (const format of ['webp', 'jpeg'] as const) {
      for (const effort of EFFORTS) {
        const { body } = await encode(source, { format, effort });
        const pixels = await sharp(body).toColourspace('b-w').raw().toBuffer();
        expect(pixels.equals(dots)).toBe(true);
      }
    }
  });
});

describe('a drawn animation', () => {
  const delay = [100, 200, 300, 400];

  /** Moving stripes, which few colours suffice for until they are resized. */
  async function stripes(): Promise<Sharp> {
    const shapes = delay.map((_, frame) => {
      const data = Buffer.alloc(320 * 240 * 3, 255);
      for (let i = 0; i < 320 * 240; i++)
        if (((i % 320) + Math.floor(i / 320) + 2 * frame) % 9 < 2) data.set([200, 40, 40], 3 * i);
      return sharp(data, { raw: { width: 320, height: 240, channels: 3 } })
        .png()
        .toBuffer();
    });
    return sharp(await Promise.all(shapes), { join: { animated: true } });
  }

  it('is sent as lossless WebP at its own size where a narrower, lossy one has more bytes', async () => {
    const source = await (await stripes()).gif({ delay }).toBuffer();
    for (const format of ['avif', 'webp'] as const) {
      const image = await encode(source, { format, width: 160 });
      expect(image).toMatchObject({ contentType: 'image/webp', width: 320, height: 240, score: 100 });
      expect(await sharp(image.body, { animated: true }).metadata()).toMatchObject({ pages: 4, delay });
      expect(image.body.byteLength).toBeLessThan(source.byteLength / 2);
    }
  });

  it('is sent as it is, where it is a lossless WebP and the client shows that', async () => {
    const source = await (await stripes()).webp({ lossless: true, delay }).toBuffer();
    for (const format of ['avif', 'webp'] as const) {
      const image = await encode(source, { format, width: 160 });
      expect(image).toMatchObject({ contentType: 'image/webp', width: 320, height: 240, score: 100 });
      expect(image.body.byteLength).toBeLessThanOrEqual(source.byteLength);
      expect((await sharp(image.body, { animated: true }).metadata()).pages).toBe(4);
    }
  });

  it('is sent as GIF at its own size where a narrower one has more bytes', async () => {
    const source = await (await stripes()).webp({ lossless: true, delay }).toBuffer();
    const image = await encode(source, { format: 'jpeg', width: 250 });
    expect(image).toMatchObject({ contentType: 'image/gif', width: 320, height: 240 });
    expect(await sharp(image.body, { animated: true }).metadata()).toMatchObject({ pages: 4, delay });
    const lossy = await (await stripes()).webp({ quality: 90, delay }).toBuffer();
    const narrow = await encode(lossy, { format: 'jpeg', width: 250 });
    expect(narrow).toMatchObject({ contentType: 'image/gif', width: 250, height: 188 });
    expect(image.body.byteLength).toBeLessThan(narrow.body.byteLength);
  });
});

describe('an animated PNG', () => {
  it('is sent as lossless WebP at its own size where a lossy one has more bytes', async () => {
    const frame = (left: number) => ({
      colour: [200, 40, 40, 255] as const,
      width: 9,
      height: 90,
      left,
      delay: 80,
    });
    const first = { colour: [255, 255, 255, 255] as const, width: 320, height: 240, delay: 80 };
    const source = await apng({ width: 320, height: 240 }, [first, ...[10, 55, 111, 200].map(frame)]);
    for (const width of [160, 320]) {
      const image = await encode(source, { width });
      expect(image).toMatchObject({ contentType: 'image/webp', width: 320, height: 240, score: 100 });
      expect((await sharp(image.body, { animated: true }).metadata()).pages).toBe(5);
    }
  });

  it('plays in every format, as it would not on Android if it were sent as it is', async () => {
    const fade = [20, 90, 160, 230].map((level) => ({
      colour: [level, 255 - level, 128, 255] as const,
      width: 64,
      height: 48,
    }));
    const source = await apng({ width: 64, height: 48 }, fade);
    for (const format of FORMATS) {
      const image = await encode(source, { format, width: 32 });
      expect((await sharp(image.body, { animated: true }).metadata()).pages).toBe(4);
    }
  });
});

describe('a transparent original that was compressed hard', () => {
  it.each(['avif', 'webp'] as const)('keeps its transparency as %s at every effort', async (format) => {
    const disc = Buffer.from(
      Array.from({ length: 96 * 96 }, (_, i) => (Math.hypot((i % 96) - 48, i / 96 - 48) < 44 ? 255 : 0)),
    );
    const cut = sharp(await photograph())
      .resize(96, 96)
      .joinChannel(disc, { raw: { width: 96, height: 96, channels: 1 } });
    const pixels = await cut.png().toBuffer();
    const sources = [
      await sharp(pixels).webp({ quality: 5 }).toBuffer(),
      await sharp(pixels).avif({ quality: 15, chromaSubsampling: '4:4:4' }).toBuffer(),
      await sharp(pixels).avif({ quality: 15, chromaSubsampling: '4:2:0' }).toBuffer(),
    ];
    for (const source of sources) {
      for (const effort of EFFORTS) {
        for (const width of [48, 480]) {
          const { body } = await encode(source, { format, effort, width });
          const { isOpaque } = await sharp(body).stats();
          expect(isOpaque).toBe(false);
        }
      }
    }
  });
});

describe('a source that was compressed hard', () => {
  it('is given a lower target in high, but no lower one than 72', async () => {
    const photo = sharp(await photograph()).resize(480);
    const [hard, good] = await Promise.all([
      photo.clone().jpeg({ quality: 20 }).toBuffer(),
      photo.clone().jpeg({ quality: 95 }).toBuffer(),
    ]);
    const high = { tier: 'high', effort: 'best', format: 'jpeg' } as const;
    expect((await encode(good, high)).score).toBeGreaterThanOrEqual(80);
    const lowered = await encode(hard, high);
    if (!lowered.isOriginal) expect(lowered.score).toBeLessThan(78);
    const avif = await encode(hard, { ...high, format: 'avif' });
    expect(avif.score).toBeGreaterThanOrEqual(72);
    expect(avif.score).toBeLessThan(78);
  });

  it('is given the targets of all tiers where resizing hides its artefacts', async () => {
    const source = await sharp(await photograph())
      .jpeg({ quality: 50 })
      .toBuffer();
    expect((await encode(source, { width: 320, tier: 'high', effort: 'best' })).score).toBeGreaterThanOrEqual(
      80,
    );
  });
});

describe('effort fast', () => {
  it('tries lossless encodings of a screenshot that was not resized', async () => {
    const source = await sharp(await screen())
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const image = await encode(source, { format: 'webp' });
    expect((await sharp(image.body).raw().toBuffer()).equals(await sharp(source).raw().toBuffer())).toBe(
      true,
    );
  });
});
