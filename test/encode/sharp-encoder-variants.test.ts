import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';
import { photograph, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 40_000_000 });

function request(wanted: Partial<EncodeRequest> = {}): EncodeRequest {
  return { width: 480, tier: 'balanced', format: 'webp', effort: 'fast', ...wanted };
}

/** A GIF of four frames. */
async function animation(): Promise<Buffer> {
  const frames = QUARTERS.map((background) =>
    sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .gif()
    .toBuffer();
}

describe('a decoded image', () => {
  it('becomes every variant up to its width', async () => {
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

  it('has the very bytes in its widest variant that it would have alone', async () => {
    const photo = await photograph();
    const sources = [photo, await sharp(photo).ensureAlpha(0.7).png().toBuffer()];
    for (const source of sources) {
      const [one, another] = await Promise.all([
        encoder.decode(source, 500, 'prewarm'),
        encoder.decode(source, 500, 'viewer'),
      ]);
      for (const format of FORMATS) {
        await one.encode(request({ format, width: 160 }));
        const along = await one.encode(request({ format, width: 500 }));
        const alone = await another.encode(request({ format, width: 500 }));
        expect(Buffer.compare(along.body, alone.body), format).toBe(0);
      }
    }
  });

  it('measures the same in a variant that is made along with wider ones as in one that is made alone', async () => {
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

  it('loses nothing of a drawing on the way to a narrower variant', async () => {
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

  it('is encoded once where requests come down to the same', async () => {
    const still = await encoder.decode(await quarters().png().toBuffer(), 1080, 'prewarm');
    const one = still.encode(request({ width: 480 }));
    expect(await still.encode(request({ width: 1080 }))).toBe(await one);
    expect(await still.encode(request({ width: 95 }))).not.toBe(await one);
    expect(await still.encode(request({ tier: 'high' }))).not.toBe(await one);
    expect(await still.encode(request({ format: 'avif' }))).not.toBe(await one);

    const moving = await encoder.decode(await animation(), 1080, 'prewarm');
    const webp = moving.encode(request({ format: 'webp' }));
    expect(await moving.encode(request({ format: 'avif' }))).toBe(await webp);
    expect(await moving.encode(request({ format: 'jpeg' }))).not.toBe(await webp);
  });

  it('that is too long for its pixels to be kept is made into variants all the same', async () => {
    const long = sharp({ create: { width: 1600, height: 12_000, channels: 3, background: '#48a' } });
    const source = await long.jpeg().toBuffer();
    const image = await encoder.decode(source, 1600, 'viewer');
    expect(await image.encode(request({ width: 1600, format: 'jpeg' }))).toMatchObject({ height: 12_000 });
    expect(await image.encode(request({ width: 160 }))).toMatchObject({ width: 160, height: 1200 });
    const cut = await encoder.decode(source.subarray(0, source.byteLength >> 1), 1600, 'viewer');
    await expect(cut.encode(request())).rejects.toMatchObject({ code: 'source_corrupt' });
  });

  it('is not asked for more than it was decoded for', async () => {
    const image = await encoder.decode(await photograph(), 160, 'viewer');
    await expect(image.encode(request())).rejects.toThrow(TypeError);
  });
});

describe('an encoder that is short of slots', () => {
  const busy = () => createSharpEncoder({ concurrency: 1, maxPixels: 40_000_000 });

  it('encodes for a viewer before what waits for prewarm', async () => {
    const one = busy();
    const source = await photograph();
    const later = await one.decode(source, 480, 'prewarm');
    const now = await one.decode(source, 480, 'viewer');
    const done: string[] = [];
    const note = (name: string) => () => done.push(name);
    await Promise.all([
      later.encode(request({ width: 101 })).then(note('prewarm')),
      later.encode(request({ width: 102 })).then(note('prewarm')),
      later.encode(request({ width: 103 })).then(note('prewarm')),
      now.encode(request({ width: 104 })).then(note('viewer')),
    ]);
    // The first of prewarm's may have begun.
    expect(done.slice(-2)).toEqual(['prewarm', 'prewarm']);
  });

  it('decodes for a viewer before what waits for prewarm', async () => {
    const one = busy();
    const source = await sharp(await photograph())
      .resize(2000)
      .png()
      .toBuffer();
    const done: string[] = [];
    const decode = async (urgency: 'viewer' | 'prewarm') => {
      await one.decode(source, 160, urgency);
      done.push(urgency);
    };
    const waiting = Array.from({ length: 8 }, () => decode('prewarm'));
    await Promise.race(waiting);
    await Promise.all([...waiting, decode('viewer')]);
    expect(done.at(-1)).toBe('prewarm');
  });

  it('finishes one image before it begins another', async () => {
    const one = busy();
    const source = await photograph();
    const done: string[] = [];
    const make = async () => {
      const image = await one.decode(source, 480, 'prewarm');
      done.push('decoded');
      // As callers have layers that a promise passes through.
      for (let layer = 0; layer < 20; layer++) await undefined;
      await Promise.all([image.encode(request()), image.encode(request({ width: 160 }))]);
      done.push('made');
    };
    await Promise.all([make(), make(), make()]);
    expect(done).toEqual(['decoded', 'made', 'decoded', 'made', 'decoded', 'made']);
  });
});
