import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { describePage, openPage } from '../support/browser.ts';
import { AVIF_SOURCES } from '../support/colours/avif-sources.ts';
import { COLOURS } from '../support/colours/coloured-source.ts';
import { HEIC_SOURCES } from '../support/colours/heic-sources.ts';
import { PNG_SOURCES } from '../support/colours/png-sources.ts';
import { PROFILED_SOURCES } from '../support/colours/profiled-sources.ts';
import { SQUARE } from '../support/png.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 4_000_000 });

/** A difference of a channel that is just visible, in levels. Nearly all differ by 1; tables and 10 bits of AVIF by 3. */
const JUST_VISIBLE = 4;

/** What the page does with the URL of an image: draws it, and returns its pixels. */
const DRAW = `async (src) => {
  const image = new Image();
  image.src = src;
  await image.decode();
  const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data];
}`;

/** Returns the colours of the squares that a browser shows. */
async function coloursInBrowser(page: Page, file: Buffer, contentType: string): Promise<number[][]> {
  const url = `data:${contentType};base64,${file.toString('base64')}`;
  return coloursOf((await page.evaluate(`(${DRAW})(${JSON.stringify(url)})`)) as number[], 4);
}

/** Returns the colours of the squares of a variant. */
async function coloursOfVariant(file: Buffer): Promise<number[][]> {
  const image = await encoder.decode(file, 1080, 'viewer');
  const { body } = await image.encode({ width: 1080, tier: 'high', format: 'webp', effort: 'fast' });
  return coloursOf(await sharp(body).removeAlpha().toColourspace('srgb').raw().toBuffer(), 3);
}

/** Returns the mean of the middle of each square: encoders mix colours at edges. */
function coloursOf(pixels: ArrayLike<number>, channels: number): number[][] {
  const width = SQUARE * COLOURS.length;
  expect(pixels).toHaveLength(width * SQUARE * channels);
  const [from, to] = [SQUARE / 4, (3 * SQUARE) / 4];
  const meanOf = (left: number, channel: number) => {
    let sum = 0;
    for (let y = from; y < to; y++)
      for (let x = from; x < to; x++) sum += pixels[(y * width + left + x) * channels + channel] as number;
    return Math.round(sum / (to - from) ** 2);
  };
  return COLOURS.map((_, index) => [0, 1, 2].map((channel) => meanOf(index * SQUARE, channel)));
}

describePage('the colours of a variant', () => {
  it.each([
    ['PNG by chunks', PNG_SOURCES],
    ['AVIF by boxes and bitstream', AVIF_SOURCES],
    ['HEIC by boxes and bitstream, as the same in AVIF', HEIC_SOURCES],
    ['JPEG and WebP by ICC profiles', PROFILED_SOURCES],
  ])('are those that Chromium shows of its original: %s', { timeout: 120_000 }, async (_, sources) => {
    const page = await openPage();
    for (const source of sources) {
      const { name, bound = JUST_VISIBLE, shownAs = source } = source;
      const theirs = await coloursInBrowser(page, await shownAs.make(), shownAs.contentType);
      const ours = await coloursOfVariant(await source.make());
      const differences = theirs.flatMap((colour, index) =>
        colour.map((level, channel) => Math.abs(level - (ours[index]?.[channel] ?? Number.NaN))),
      );
      const shown = theirs.map((colour, index) => `${colour} ≠ ${ours[index]}`).join(' | ');
      expect.soft(Math.max(...differences), `${name}: ${shown}`).toBeLessThanOrEqual(bound);
    }
  });
});
