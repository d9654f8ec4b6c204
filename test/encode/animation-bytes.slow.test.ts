import sharp from 'sharp';
import { expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';

/** Frames of noise, which WebP makes small at a low quality, and GIF cannot. */
async function noisyWebp(frames: number, side: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const create = { width: side, height: side, channels: 3, background: '#000', noise } as const;
  const stills = await Promise.all(Array.from({ length: frames }, () => sharp({ create }).png().toBuffer()));
  return await sharp(stills, { join: { animated: true } })
    .webp({ quality: 1, effort: 0 })
    .toBuffer();
}

it('an animated WebP becomes a GIF that is smaller in pixels rather than many times as large in bytes', async () => {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
  const source = await noisyWebp(12, 700);
  expect(source.length).toBeLessThan(2 ** 22);
  const image = await encoder.decode(source, 1080, 'viewer');
  const request = { tier: 'balanced', format: 'jpeg', effort: 'fast' } as const;
  const large = await image.encode({ ...request, width: 1080 });
  expect(large.contentType).toBe('image/gif');
  expect(large.body.byteLength).toBeLessThanOrEqual(2 ** 22);
  expect(large.body.byteLength).toBeGreaterThan(2 ** 20);
  expect(large.width).toBeLessThan(700);
  expect((await sharp(large.body, { animated: true }).metadata()).pages).toBe(12);
  // One that is small anyway has the width that was asked for.
  expect((await image.encode({ ...request, width: 160 })).width).toBe(160);
}, 60_000);
