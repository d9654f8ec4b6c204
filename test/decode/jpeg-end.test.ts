import sharp from 'sharp';
import { expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });

/** Larger than what is checked before decoding while a viewer waits. */
async function largeJpeg(orientation: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 190, sigma: 30 } as const;
  const create = { width: 1200, height: 1200, channels: 3, background: '#000', noise } as const;
  return await sharp({ create })
    .withMetadata({ orientation })
    .jpeg({ quality: 96, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

it('a large JPEG that was cut off within its last rows and closed again is corrupt, for a viewer too', async () => {
  for (const orientation of [1, 6]) {
    const whole = await largeJpeg(orientation);
    expect(whole.length).toBeGreaterThan(2 ** 20);
    await encoder.decode(whole, 1080, 'viewer');
    const cut = Buffer.concat([whole.subarray(0, whole.length - 600), Buffer.from([0xff, 0xd9])]);
    await expect(encoder.decode(cut, 1080, 'viewer')).rejects.toMatchObject({ code: 'source_corrupt' });
  }
});
