import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 1_000_000 });

describe('a HEIF file with a part missing', () => {
  it.each([
    [
      'the data of a picture end beyond the file',
      (file: Buffer) => file.subarray(0, file.length - 1),
      'ends within',
    ],
    [
      'a picture has no size, which browsers refuse',
      (file: Buffer) => {
        file.write('free', file.indexOf('ispe'), 'latin1');
        return file;
      },
      'no size',
    ],
  ])('is corrupt: %s', async (_what, damage, reason) => {
    const file = await quarters().avif({ effort: 0 }).toBuffer();
    expect((await encoder.decode(file, 96, 'viewer')).facts.width).toBe(96);
    await expect(encoder.decode(damage(Buffer.from(file)), 96, 'viewer')).rejects.toMatchObject({
      code: 'source_corrupt',
      message: expect.stringContaining(reason),
    });
  });
});
