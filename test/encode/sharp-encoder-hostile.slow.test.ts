import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { DecodedImage, EncodedImage } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { photograph } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

function decode(source: Uint8Array): Promise<DecodedImage> {
  return encoder.decode(source, 1080, 'viewer');
}

async function encode(source: Uint8Array): Promise<EncodedImage> {
  return (await decode(source)).encode({ width: 1080, tier: 'high', format: 'webp', effort: 'fast' });
}

async function failure(
  source: Uint8Array,
  work: (source: Uint8Array) => Promise<unknown> = encode,
): Promise<string> {
  return await work(source).then(
    () => 'none',
    (error: { code: string }) => error.code,
  );
}

describe('decoding a hostile source', () => {
  it('throws source_corrupt for a truncated image of every type', async () => {
    const photo = sharp(await photograph()).resize(400);
    const noise = await Promise.all(
      [1, 2, 3].map(() =>
        sharp({
          create: {
            width: 64,
            height: 64,
            channels: 3,
            background: '#000',
            noise: { type: 'gaussian', mean: 128, sigma: 60 },
          },
        })
          .png()
          .toBuffer(),
      ),
    );
    const sources = {
      jpeg: await photo.clone().jpeg().toBuffer(),
      'progressive jpeg': await photo.clone().jpeg({ progressive: true }).toBuffer(),
      png: await photo.clone().png().toBuffer(),
      webp: await photo.clone().webp().toBuffer(),
      'animated webp': await sharp(noise, { join: { animated: true } })
        .webp()
        .toBuffer(),
      gif: await photo.clone().gif().toBuffer(),
      'animated gif': await sharp(noise, { join: { animated: true } })
        .gif()
        .toBuffer(),
      avif: await photo.clone().avif({ effort: 0 }).toBuffer(),
      tiff: await photo.clone().tiff({ compression: 'lzw' }).toBuffer(),
      heic: await readFile(new URL('./fixtures/quadrants-display-p3.heic', import.meta.url)),
    };
    for (const [name, bytes] of Object.entries(sources)) {
      expect(await failure(bytes), name).toBe('none');
      // An animated WebP is decoded for each variant; for all others, decode() fails before any variant is encoded.
      const work = name === 'animated webp' ? encode : decode;
      for (const share of [0.1, 0.5, 0.9, 0.98]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        expect(await failure(cut, work), `${name} cut at ${share}`).toBe('source_corrupt');
      }
    }
  });

  it('throws source_not_image for files that are not images, and source_corrupt for headers without an image', async () => {
    const texts = [
      '',
      ' ',
      '<!doctype html><html><body>404</body></html>',
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
      'BM',
      '{"error":"gone"}',
    ];
    for (const text of texts) expect(await failure(Buffer.from(text)), text).toBe('source_not_image');
    for (const start of [
      '\xff\xd8\xff\xe0',
      '\x89PNG\r\n\x1a\n',
      'GIF89a',
      'RIFF\0\0\0\0WEBP',
      'II*\0',
      '\0\0\0\x18ftypavif',
      '\0\0\0\x18ftypheic',
      '%PDF-1.7',
    ]) {
      expect(await failure(Buffer.from(start, 'latin1')), start).toBe('source_corrupt');
    }
  });

  it('rejects an image that would take gigabytes to decode, even within the limit of pixels', async () => {
    const generous = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
    const flat = sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#888' } });
    const bomb = await flat.avif({ effort: 0 }).toBuffer();
    expect(bomb.byteLength).toBeLessThan(10_000);
    await expect(generous.decode(bomb, 160, 'viewer')).rejects.toMatchObject({ code: 'source_too_large' });
  });

  it('rejects an image with too many pixels, counted over all frames, before decoding it', async () => {
    const wide = await sharp({ create: { width: 4001, height: 1000, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    expect(await failure(wide)).toBe('source_too_large');
    const frame = (at: number) =>
      sharp({ create: { width: 500, height: 500, channels: 3, background: { r: at, g: 0, b: 0 } } })
        .png()
        .toBuffer();
    const frames = await Promise.all(Array.from({ length: 17 }, (_, at) => frame(at * 15)));
    const animated = (count: number) =>
      sharp(frames.slice(0, count), { join: { animated: true } })
        .gif()
        .toBuffer();
    expect(await failure(await animated(16))).toBe('none');
    expect(await failure(await animated(17))).toBe('source_too_large');
  });
});
