import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSequenceHeader } from '../../src/decode/containers/av1-sequence-header.ts';
import { readAvifItems } from '../../src/decode/containers/avif-items.ts';
import { finishAvif, isPhoneAvif } from '../../src/encode/avif-container.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { AVIF_PATHS, cut, expectPhoneKind, translucent } from '../support/avif.ts';
import { photograph } from '../support/pictures.ts';

describe('an AVIF variant', () => {
  it.each(Object.keys(AVIF_PATHS))(
    'is of the kind that phones decode, in all that it says: %s',
    async (path) => {
      const image = await (AVIF_PATHS[path] as () => ReturnType<(typeof AVIF_PATHS)[string]>)();
      expect(image.contentType).toBe('image/avif');
      expectPhoneKind(image.body);
      expect(await sharp(image.body).metadata()).toMatchObject({ width: image.width, height: image.height });
    },
  );

  it('has its transparency as a monochrome picture of its own', async () => {
    const image = await createSharpEncoder({ concurrency: 1, maxPixels: 1_000_000 }).decode(
      await translucent(),
      320,
      'viewer',
    );
    const { body } = await image.encode({ width: 320, tier: 'balanced', format: 'avif', effort: 'fast' });
    const items = readAvifItems(body);
    expect(items?.all.map(({ id, auxiliaryOf }) => ({ id, auxiliaryOf }))).toEqual([
      { id: 1, auxiliaryOf: undefined },
      { id: 2, auxiliaryOf: 1 },
    ]);
    expect(items?.all.map(({ data }) => readSequenceHeader(data)?.isMonochrome)).toEqual([false, true]);
    const [left, right] = [await alphaAt(body, 0), await alphaAt(body, 319)];
    expect(left).toBeLessThan(8);
    expect(right).toBeGreaterThan(190);
  });

  it('shows the pixels that libheif encoded', async () => {
    const encoded = await sharp(await translucent())
      .avif({ quality: 50, effort: 0, chromaSubsampling: '4:2:0' })
      .toBuffer();
    const finished = finishAvif(encoded);
    expect((await sharp(finished).raw().toBuffer()).equals(await sharp(encoded).raw().toBuffer())).toBe(true);
  });
});

async function alphaAt(file: Uint8Array, left: number): Promise<number> {
  const { channels } = await sharp(
    await sharp(file).extract({ left, top: 0, width: 1, height: 200 }).png().toBuffer(),
  ).stats();
  return channels[3]?.mean ?? Number.NaN;
}

describe('an AVIF original', () => {
  const kinds = {
    'in 4:4:4': { chromaSubsampling: '4:4:4', bitdepth: 8 },
    'of 10 bits': { chromaSubsampling: '4:2:0', bitdepth: 10 },
  } as const;

  async function variantOf(original: Uint8Array) {
    const image = await createSharpEncoder({ concurrency: 1, maxPixels: 1_000_000 }).decode(
      original,
      320,
      'viewer',
    );
    return await image.encode({ width: 320, tier: 'high', format: 'avif', effort: 'fast' });
  }

  it.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    '%s is encoded again, however small it is',
    async (kind) => {
      const original = await sharp(await photograph())
        .resize(320)
        .avif({ quality: 1, effort: 0, ...kinds[kind] })
        .toBuffer();
      expect(isPhoneAvif(original)).toBe(false);
      const variant = await variantOf(original);
      expect(variant.isOriginal).toBe(false);
      if (variant.contentType === 'image/avif') expectPhoneKind(variant.body);
    },
  );

  it('of odd sides is encoded again', async () => {
    const original = await sharp(await cut(201, 101))
      .avif({ quality: 1, effort: 0, chromaSubsampling: '4:2:0' })
      .toBuffer();
    expect(await variantOf(original)).toMatchObject({ isOriginal: false, width: 200, height: 100 });
  });

  it('of the right kind is sent as it is where nothing is smaller', async () => {
    const original = await sharp(await photograph())
      .resize(320)
      .avif({ quality: 1, effort: 0, chromaSubsampling: '4:2:0' })
      .toBuffer();
    expect(await variantOf(original)).toMatchObject({ isOriginal: true, width: 320, height: 256 });
  });
});
