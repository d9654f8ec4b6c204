import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { withInt32 } from '../support/bmp.ts';
import { type IconEntry, icon, iconBmp } from '../support/icon.ts';
import { alphaOfHalves, coloursOf, expectQuarters, near, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

async function encode(source: Uint8Array) {
  const image = await encoder.decode(source, 320, 'viewer');
  const variant = await image.encode({ width: 320, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

/** Returns the picture of an icon with 0 in all fourth bytes, as old programs write it. */
function withoutAlpha(picture: IconEntry): IconEntry {
  const bytes = Buffer.from(picture.bytes);
  for (let pixel = 0; pixel < picture.width * picture.height; pixel++) bytes[40 + 4 * pixel + 3] = 0;
  return { ...picture, bytes };
}

describe('decoding icons', () => {
  it.each(['icon', 'cursor'] as const)('shows the largest picture of an %s', async (kind) => {
    const source = icon([iconBmp(16, 16, 8), iconBmp(48, 32, 24), iconBmp(32, 32, 32)], kind);
    const image = await encode(source);
    expect(image).toMatchObject({ width: 48, height: 32, source: { contentType: 'image/x-icon' } });
    await expectQuarters(image.body);
  });

  it('shows a PNG in an icon, whose size of 256 is stored as 0', async () => {
    const png = await quarters(256, 256).png().toBuffer();
    const source = icon([iconBmp(48, 48, 24), { width: 256, height: 256, bytes: png }]);
    const image = await encode(source);
    expect(image).toMatchObject({
      width: 256,
      height: 256,
      source: { contentType: 'image/x-icon', bytes: source.byteLength },
    });
    await expectQuarters(image.body);
  });

  it.each([
    ['the mask', iconBmp(32, 32, 8, { isMasked: true })],
    ['the mask, without alpha', iconBmp(32, 32, 24, { isMasked: true })],
    ['the mask, where all alpha is 0', withoutAlpha(iconBmp(32, 32, 32, { isMasked: true }))],
    ['alpha', iconBmp(32, 32, 32, { alpha: 0 })],
    [
      'alpha with a mask of bits',
      iconBmp(32, 32, 32, { alpha: 0, masks: [0x0000ff00, 0x00ff0000, 0xff000000, 0x000000ff] }),
    ],
  ])('takes transparency from %s', async (_what, picture) => {
    for (const kind of ['icon', 'cursor'] as const) {
      const { body } = await encode(icon([picture], kind));
      expect(await alphaOfHalves(body)).toEqual([0, 255]);
      const [, upper, , lower] = await coloursOf(body);
      expect([upper, lower]).toEqual([near(QUARTERS[1]), near(QUARTERS[3])]);
    }
  });

  it('shows an icon without its mask, with a wrong length or number of colours, or with a height that is not doubled', async () => {
    const picture = iconBmp(32, 32, 24);
    const whole = icon([picture]);
    const maskless = whole.subarray(0, -32 * 4);
    const short = withInt32(icon([picture]), 6 + 8, 8);
    const single = withInt32(Buffer.from(maskless), 22 + 8, 32);
    // Colours that 24 bits do not need.
    const unused = withInt32(icon([picture]), 22 + 32, 1000);
    for (const source of [maskless, short, single, unused]) {
      const image = await encode(source);
      expect(image).toMatchObject({ width: 32, height: 32 });
      await expectQuarters(image.body);
    }
  });

  it('shows the deepest of several pictures of one size', async () => {
    const image = await encode(icon([iconBmp(32, 32, 1), iconBmp(32, 32, 24), iconBmp(32, 32, 4)], 'cursor'));
    await expectQuarters(image.body);
  });

  it('refuses an icon whose picture is cut off, or larger than the limit', async () => {
    const whole = icon([iconBmp(32, 32, 24)]);
    const large = withInt32(withInt32(Buffer.from(whole), 22 + 4, 65_535), 22 + 8, 65_535);
    await expect(encode(whole.subarray(0, 2000))).rejects.toMatchObject({ code: 'source_corrupt' });
    await expect(encode(large)).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringContaining('65535×32767 pixels'),
    });
  });

  it('refuses an icon without a picture', async () => {
    await expect(encode(Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0]))).rejects.toMatchObject({
      code: 'source_corrupt',
    });
  });
});
