import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';
import { animation, photograph, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 40_000_000 });

function request(wanted: Partial<EncodeRequest> = {}): EncodeRequest {
  return { width: 480, tier: 'balanced', format: 'webp', effort: 'fast', ...wanted };
}

/** A still with more pixels than the encoder keeps decoded. */
function longStill(): Promise<Buffer> {
  return sharp({ create: { width: 1600, height: 12_000, channels: 3, background: '#48a' } })
    .jpeg()
    .toBuffer();
}

describe('a decoded image', () => {
  it('encodes variants of every width and format up to its maximum width', async () => {
    const image = await encoder.decode(await photograph(), 720, 'prewarm');
    expect(image.facts).toMatchObject({ contentType: 'image/jpeg', width: 1024 });
    const requests = [720, 320].flatMap((width) => FORMATS.map((format) => request({ width, format })));
    const variants = await Promise.all(requests.map((one) => image.encode(one)));
    for (const [index, { width, format }] of requests.entries()) {
      const variant = variants[index];
      const height = Math.round((image.facts.height * width) / image.facts.width);
      expect(variant).toMatchObject({ contentType: `image/${format}`, width, height });
      expect(await sharp(variant?.body).metadata()).toMatchObject({ width, height });
    }
  });

  it('gives its widest variant the same bytes with and without narrower variants', async () => {
    const photo = await photograph();
    const sources = [photo, await sharp(photo).ensureAlpha(0.7).png().toBuffer()];
    for (const source of sources) {
      const [one, another] = await Promise.all([
        encoder.decode(source, 500, 'prewarm'),
        encoder.decode(source, 500, 'viewer'),
      ]);
      for (const format of FORMATS) {
        await one.encode(request({ format, width: 160 }));
        const withOthers = await one.encode(request({ format, width: 500 }));
        const alone = await another.encode(request({ format, width: 500 }));
        expect(Buffer.compare(withOthers.body, alone.body), format).toBe(0);
      }
    }
  });

  it('gives a variant the same height whatever the widest variant is', async () => {
    const photo = sharp(await photograph());
    for (const [width, height] of [
      [1023, 767],
      [1001, 599],
    ] as const) {
      const source = await photo.clone().resize(width, height, { fit: 'fill' }).jpeg().toBuffer();
      const heights = [160, 480, 720].map(async (widest) => {
        const image = await encoder.decode(source, widest, 'prewarm');
        return (await image.encode(request({ width: 160 }))).height;
      });
      expect(new Set(await Promise.all(heights)).size).toBe(1);
    }
  });

  it('gives a narrow variant of a drawing the same bytes whatever the widest variant is', async () => {
    const drawing = await sharp(await photograph())
      .threshold(128)
      .png()
      .toBuffer();
    const [wide, narrow] = await Promise.all(
      [900, 480].map(async (widest) => {
        const image = await encoder.decode(drawing, widest, 'prewarm');
        return (await image.encode(request())).body;
      }),
    );
    expect(Buffer.compare(wide as Uint8Array, narrow as Uint8Array)).toBe(0);
  });

  it('encodes a still once for requests with the same result', async () => {
    const still = await encoder.decode(await quarters().png().toBuffer(), 1080, 'prewarm');
    const one = still.encode(request({ width: 480 }));
    expect(await still.encode(request({ width: 1080 }))).toBe(await one);
    expect(await still.encode(request({ width: 95 }))).not.toBe(await one);
    expect(await still.encode(request({ tier: 'high' }))).not.toBe(await one);
    expect(await still.encode(request({ format: 'avif' }))).not.toBe(await one);
  });

  it('encodes an animation once for requests with the same result', async () => {
    const source = await (await animation(64, 48)).gif().toBuffer();
    const animated = await encoder.decode(source, 1080, 'prewarm');
    const webp = animated.encode(request({ format: 'webp' }));
    expect(await animated.encode(request({ format: 'avif' }))).toBe(await webp);
    expect(await animated.encode(request({ format: 'jpeg' }))).not.toBe(await webp);
  });

  it('encodes variants of a still that is too long to keep decoded', async () => {
    const image = await encoder.decode(await longStill(), 1600, 'viewer');
    expect(await image.encode(request({ width: 1600, format: 'jpeg' }))).toMatchObject({ height: 12_000 });
    expect(await image.encode(request({ width: 160 }))).toMatchObject({ width: 160, height: 1200 });
  });

  it('throws source_corrupt for a truncated still that is too long to keep decoded', async () => {
    const source = await longStill();
    const truncated = source.subarray(0, source.byteLength >> 1);
    const encoded = encoder.decode(truncated, 1600, 'viewer').then((image) => image.encode(request()));
    await expect(encoded).rejects.toMatchObject({ code: 'source_corrupt' });
  });

  it('throws a TypeError for a wider variant than it was decoded for', async () => {
    const image = await encoder.decode(await photograph(), 160, 'viewer');
    await expect(image.encode(request())).rejects.toThrow(TypeError);
  });
});
