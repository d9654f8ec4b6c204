import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edits, mutate } from '../../scripts/fuzz/mutations.ts';
import type { EncodeRequest, Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { EdgepressError } from '../../src/protocol/error.ts';
import { apng } from '../support/apng.ts';
import { avifSequence } from '../support/avif-sequence.ts';
import { bmp } from '../support/bmp.ts';
import { heifRow, hevcTile } from '../support/heif-grid.ts';
import { icon, iconBmp } from '../support/icon.ts';
import { writeWithMagick } from '../support/magick.ts';
import { pageAsPdf, quartersOfPage } from '../support/pdf.ts';
import { animation, QUARTERS, quarters } from '../support/pictures.ts';

const withMetadata = () =>
  quarters()
    .withExif({ IFD0: { Artist: 'someone' } })
    .withIccProfile('p3');
const SIZE = { width: 16, height: 16 };
const png = () => quarters().png().toBuffer();

/** The types of originals, and how many mutated files of each are tried: decoders in threads take half a second for each. */
const FILES: Readonly<Record<string, [runs: number, make: () => Buffer | Promise<Buffer>]>> = {
  jpeg: [300, () => withMetadata().jpeg().toBuffer()],
  'progressive jpeg': [300, () => withMetadata().jpeg({ progressive: true }).toBuffer()],
  png: [300, () => withMetadata().png().toBuffer()],
  apng: [
    200,
    () =>
      apng(
        SIZE,
        QUARTERS.map(({ r, g, b }) => ({ ...SIZE, colour: [r, g, b, 200] })),
      ),
  ],
  gif: [300, async () => (await animation(16, 16)).gif({ loop: 3 }).toBuffer()],
  webp: [300, () => withMetadata().webp().toBuffer()],
  'animated webp': [200, async () => (await animation(16, 16)).webp().toBuffer()],
  tiff: [300, () => withMetadata().tiff({ compression: 'lzw' }).toBuffer()],
  avif: [200, () => withMetadata().avif({ effort: 0 }).toBuffer()],
  bmp: [300, () => bmp(24, 16, { bits: 24 })],
  'bmp of run lengths': [300, () => bmp(24, 16, { bits: 8, isRunLength: true })],
  ico: [300, () => icon([iconBmp(16, 16, 32), iconBmp(32, 32, 24)])],
  'avif sequence': [20, () => avifSequence(SIZE, [{ colour: QUARTERS[0], delay: 40 }])],
  pdf: [20, () => pageAsPdf({ content: quartersOfPage(QUARTERS) })],
  heic: [20, () => readFile(new URL('./fixtures/quadrants-display-p3.heic', import.meta.url))],
  'heic of tiles': [20, async () => heifRow([await hevcTile(), await hevcTile()], { width: 96, height: 64 })],
  jxl: [20, async () => writeWithMagick(await png(), 'JXL')],
  jp2: [20, async () => writeWithMagick(await png(), 'JP2')],
  psd: [20, async () => writeWithMagick(await png(), 'PSD')],
};

const REQUEST: Omit<EncodeRequest, 'format'> = { width: 160, tier: 'balanced', effort: 'fast' };

/** Returns the code of the error, or `none`. Errors that are no EdgepressError are thrown. */
async function outcome(encoder: Encoder, bytes: Uint8Array): Promise<string> {
  try {
    const image = await encoder.decode(bytes, 160, 'prewarm');
    for (const format of ['webp', 'jpeg'] as const) await image.encode({ ...REQUEST, format });
    return 'none';
  } catch (error) {
    if (error instanceof EdgepressError) return error.code;
    throw error;
  }
}

describe('a mutated original', () => {
  it.each(Object.keys(FILES))(
    'is shown, or refused for a reason: %s',
    async (name) => {
      const [numRuns, make] = FILES[name] as [number, () => Promise<Buffer>];
      const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 4_000_000 });
      const file = await make();
      expect(await outcome(encoder, file)).toBe('none');
      await fc.assert(
        fc.asyncProperty(edits, async (changes) => {
          const code = await outcome(encoder, mutate(file, changes, file));
          expect(code === 'none' || code.startsWith('source_'), code).toBe(true);
        }),
        { numRuns },
      );
    },
    120_000,
  );
});
