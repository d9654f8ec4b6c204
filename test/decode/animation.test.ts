import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import type { Format } from '../../src/protocol/request.ts';
import { apng, type FrameOptions } from '../support/apng.ts';
import { avifSequence } from '../support/avif-sequence.ts';
import { animation, QUARTERS } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 1_000_000 });

async function encode(source: Uint8Array, format: Format = 'webp') {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format, effort: 'fast' });
  return { ...variant, source: image.facts };
}

/** Returns the pixels of one point of each frame, RGBA. */
async function pointOfFrames(body: Uint8Array, left: number, top: number): Promise<number[][]> {
  const { pages = 1, pageHeight = 0 } = await sharp(body, { animated: true }).metadata();
  return await Promise.all(
    Array.from({ length: pages }, async (_, page) => {
      const image = sharp(body, { animated: true }).ensureAlpha();
      const area = { left, top: page * pageHeight + top, width: 1, height: 1 };
      return [
        ...(await sharp(await image.png().toBuffer())
          .extract(area)
          .raw()
          .toBuffer()),
      ];
    }),
  );
}

const RED = [220, 20, 20, 255] as const;
const GREEN = [20, 220, 20, 255] as const;
const BLUE = [20, 20, 220, 255] as const;
const CLEAR = [0, 0, 0, 0] as const;
const SIZE = { width: 40, height: 30 };
const whole = (colour: FrameOptions['colour'], rest: Partial<FrameOptions> = {}) => ({
  ...SIZE,
  colour,
  ...rest,
});

describe('an animated PNG', () => {
  it('is played with its delays and repetitions', async () => {
    const source = await apng(
      SIZE,
      [whole(RED, { delay: 100 }), whole(GREEN, { delay: 250 }), whole(BLUE, { delay: 400 })],
      {
        loop: 3,
      },
    );
    for (const [format, contentType] of [
      ['webp', 'image/webp'],
      ['avif', 'image/webp'],
      ['jpeg', 'image/gif'],
    ] as const) {
      const image = await encode(source, format);
      expect(image).toMatchObject({ ...SIZE, contentType, isOriginal: false });
      expect(image.source).toMatchObject({ ...SIZE, contentType: 'image/apng' });
      const { pages, delay, loop } = await sharp(image.body, { animated: true }).metadata();
      expect({ pages, delay, loop }).toEqual({ pages: 3, delay: [100, 250, 400], loop: 3 });
      const points = await pointOfFrames(image.body, 20, 15);
      for (const [index, colour] of [RED, GREEN, BLUE].entries()) expectNear(points[index], colour);
    }
  });

  it('leaves out a still that is not a frame', async () => {
    const source = await apng(SIZE, [whole(RED), whole(GREEN)], { still: BLUE });
    const points = await pointOfFrames((await encode(source)).body, 20, 15);
    expect(points).toHaveLength(2);
    expectNear(points[0], RED);
    const single = await encode(await apng(SIZE, [whole(RED)], { still: BLUE }));
    expect(await sharp(single.body, { animated: true }).metadata()).not.toHaveProperty('pages');
    expectNear((await pointOfFrames(single.body, 20, 15))[0], RED);
  });

  it('disposes of frames and blends them as they say', async () => {
    const part = { width: 20, height: 30, left: 20 };
    const half = [20, 20, 220, 128] as const;
    const source = await apng(SIZE, [
      whole(RED),
      // Drawn over the red, then taken away again.
      { ...part, colour: GREEN, dispose: 2 },
      // Mixed with the red, then cleared.
      { ...part, colour: half, blend: 1, dispose: 1 },
      { width: 1, height: 1, colour: RED },
      // Takes the place of what is there, with its transparency.
      { ...part, colour: CLEAR, left: 0 },
    ]);
    const { body } = await encode(source);
    const left = await pointOfFrames(body, 8, 15);
    const right = await pointOfFrames(body, 32, 15);
    for (const [index, colour] of [RED, RED, RED, RED].entries()) expectNear(left[index], colour);
    expectNear(right[0], RED);
    expectNear(right[1], GREEN);
    expectNear(right[2], [120, 20, 120, 255]);
    expect([right[3]?.[3], left[4]?.[3]]).toEqual([0, 0]);
  });

  it('is played as often as the format of the answer can say', async () => {
    const image = await encode(await apng(SIZE, [whole(RED), whole(GREEN)], { loop: 70_000 }));
    expect((await sharp(image.body, { animated: true }).metadata()).loop).toBe(65_535);
  });

  it('shows the still where the animation is not as it should be', async () => {
    const source = await apng(SIZE, [whole(RED), whole(GREEN)]);
    // The sequence number of the second frame.
    source.writeUInt32BE(7, source.indexOf('fdAT') + 4);
    const image = await encode(source);
    expect(image.source.contentType).toBe('image/png');
    expectNear((await pointOfFrames(image.body, 20, 15))[0], RED);
  });

  it('is corrupt if a frame is damaged or cut off, and too large if all frames together are', async () => {
    const source = await apng(SIZE, [whole(RED), whole(GREEN)]);
    const damaged = Buffer.from(source);
    damaged.fill(0, damaged.indexOf('fdAT') + 12, damaged.indexOf('fdAT') + 40);
    await expect(encode(damaged)).rejects.toMatchObject({ code: 'source_corrupt' });
    await expect(encode(source.subarray(0, source.length - 30))).rejects.toMatchObject({
      code: 'source_corrupt',
    });
    const large = { width: 500, height: 500 };
    const frames = Array.from({ length: 5 }, () => ({ ...large, colour: RED }));
    await expect(encode(await apng(large, frames))).rejects.toMatchObject({ code: 'source_too_large' });
  });
});

describe('an AVIF sequence', () => {
  it('is played with its delays and repetitions', async () => {
    const delays = [100, 250, 400, 50];
    const frames = QUARTERS.map((colour, index) => ({ colour, delay: delays[index] as number }));
    for (const loop of [0, 3]) {
      const image = await encode(await avifSequence({ width: 64, height: 48 }, frames, loop));
      expect(image).toMatchObject({ width: 64, height: 48, contentType: 'image/webp', isOriginal: false });
      expect(image.source).toMatchObject({ width: 64, height: 48, contentType: 'image/avif' });
      const metadata = await sharp(image.body, { animated: true }).metadata();
      expect(metadata).toMatchObject({ pages: 4, delay: delays, loop });
      const points = await pointOfFrames(image.body, 20, 15);
      for (const [index, { r, g, b }] of QUARTERS.entries()) expectNear(points[index], [r, g, b, 255]);
    }
  });

  it('is refused by name with another codec', async () => {
    const source = await avifSequence({ width: 64, height: 48 }, [{ colour: QUARTERS[0], delay: 100 }]);
    source.write('hevc', 8, 'latin1');
    await expect(encode(source)).rejects.toMatchObject({
      code: 'source_not_image',
      message: expect.stringContaining('sequence'),
    });
  });

  it('with one frame is a still', async () => {
    const source = await avifSequence({ width: 64, height: 48 }, [{ colour: QUARTERS[0], delay: 100 }]);
    const image = await encode(source);
    expect(await sharp(image.body, { animated: true }).metadata()).not.toHaveProperty('pages');
  });

  it('is corrupt if it is cut off, and too large if all frames together are', async () => {
    const frames = QUARTERS.map((colour) => ({ colour, delay: 100 }));
    const source = await avifSequence({ width: 64, height: 48 }, frames);
    for (const share of [0.1, 0.5, 0.98]) {
      const cut = source.subarray(0, source.length * share);
      await expect(encode(cut), `cut at ${share}`).rejects.toMatchObject({ code: 'source_corrupt' });
    }
    const large = await avifSequence({ width: 600, height: 500 }, frames);
    await expect(encode(large)).rejects.toMatchObject({ code: 'source_too_large' });
  });
});

describe('an animated WebP with an orientation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    '%i is played forwards and as it is stored, as in browsers',
    async (orientation) => {
      const frames = await animation(64, 48);
      const source = await frames
        .withMetadata({ orientation })
        .webp({ lossless: true, delay: [100, 200, 300, 400] })
        .toBuffer();
      const image = await encode(source);
      expect(image).toMatchObject({ width: 64, height: 48, source: { width: 64, height: 48 } });
      const { delay } = await sharp(image.body, { animated: true }).metadata();
      expect(delay).toEqual([100, 200, 300, 400]);
      const points = await pointOfFrames(image.body, 20, 15);
      for (const [index, { r, g, b }] of QUARTERS.entries()) expectNear(points[index], [r, g, b, 255]);
    },
  );
});

function expectNear(actual: readonly number[] | undefined, expected: readonly number[]): void {
  expect(actual).toHaveLength(4);
  for (const [channel, value] of expected.entries())
    expect(
      Math.abs((actual?.[channel] ?? -1000) - value),
      `${actual} is not ${expected}`,
    ).toBeLessThanOrEqual(12);
}
