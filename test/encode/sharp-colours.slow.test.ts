import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { correctLuma } from '../../src/encode/correct-luma.ts';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createMetric } from '../../src/encode/metric.ts';
import { flattenPixels, readPixels } from '../../src/encode/pixels.ts';
import { needsLossless, needsSharpChroma, shareOfSharpColours } from '../../src/encode/sharp-colours.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { fastSettings } from '../../src/encode/tier-quality.ts';
import { photograph, screen } from '../support/pictures.ts';

const [WIDTH, HEIGHT] = [480, 360];

/** Thin letters in strong colours, on a ground in another colour that changes slightly from line to line. */
function colouredLetters(): Promise<Buffer> {
  const data = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const line = Math.floor(y / 12);
    const isStroke = y % 12 < 9 && x % 9 < 7 && (x % 9 < 1 || y % 12 === (x * 5 + line) % 9);
    data.set(isStroke ? [250, 230 - line, 20] : [20, 60 + 2 * line, 180], 3 * i);
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toBuffer();
}

const pixelsOf = async (image: Uint8Array) => flattenPixels(await readPixels(sharp(image)));

async function scoreOf(source: Uint8Array, wanted: Pick<EncodeRequest, 'format' | 'tier' | 'effort'>) {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 1_000_000 });
  const image = await encoder.decode(source, WIDTH, 'viewer');
  const { body } = await image.encode({ width: WIDTH, ...wanted });
  const reference = createMetric(1).open(await pixelsOf(source));
  const score = await reference.score(await pixelsOf(body));
  reference.close();
  return score;
}

describe('coloured letters on a coloured ground', () => {
  it('are told from screenshots and photographs', async () => {
    const shareOf = async (image: Uint8Array) => shareOfSharpColours(await pixelsOf(image));
    expect(needsLossless(await shareOf(await colouredLetters()))).toBe(true);
    for (const other of [await screen(), await photograph()])
      expect(needsSharpChroma(await shareOf(other))).toBe(false);
  });

  it.each([
    ['avif', 'fast'],
    ['avif', 'best'],
    ['webp', 'fast'],
    ['webp', 'best'],
  ] as const)(
    'reach the target of tier high in %s with effort %s, although 4:2:0 blurs them',
    async (format, effort) => {
      const source = await colouredLetters();
      const halved = await sharp(source)
        .avif({ quality: 90, effort: 1, chromaSubsampling: '4:2:0' })
        .toBuffer();
      const reference = createMetric(1).open(await pixelsOf(source));
      expect(await reference.score(await pixelsOf(halved))).toBeLessThan(70);
      reference.close();
      expect(await scoreOf(source, { format, effort, tier: 'high' })).toBeGreaterThanOrEqual(80);
    },
  );
});

describe('a photograph of signs in strong colours', () => {
  /** A photograph with thin lines in one colour, which take some of its pixels. */
  async function signs(): Promise<Buffer> {
    const { data, info } = await sharp(await photograph())
      .resize(WIDTH, HEIGHT)
      .raw()
      .toBuffer({ resolveWithObject: true });
    for (let i = 0; i < info.width * info.height; i++) {
      const [x, y] = [i % info.width, Math.floor(i / info.width)];
      if (y % 7 < 1 && x > 60 && x < 400 && y < 280) data.set([230, 20, 60], 3 * i);
    }
    return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toBuffer();
  }

  it('scores higher in AVIF than what an encoder makes of the same pixels at the same quality', async () => {
    const source = await signs();
    const pixels = await pixelsOf(source);
    const { quality } = fastSettings('avif', 'balanced', { contentClass: 'photo', ...pixels }) as {
      quality: number;
    };
    const plain = await sharp(source).avif({ quality, effort: 1, chromaSubsampling: '4:2:0' }).toBuffer();
    const reference = createMetric(1).open(pixels);
    const plainScore = await reference.score(await pixelsOf(plain));
    reference.close();
    const score = await scoreOf(source, { format: 'avif', effort: 'fast', tier: 'balanced' });
    expect(score).toBeGreaterThan(plainScore + 1);
  });

  it('keeps its transparency where its luma is corrected', async () => {
    const pixels = await readPixels(sharp(await signs()).ensureAlpha(0.5));
    const corrected = await correctLuma(pixels);
    expect(corrected).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 4 });
    expect(corrected.data[3]).toBe(pixels.data[3]);
    expect(corrected.data.equals(pixels.data)).toBe(false);
  });

  it('changes nothing where no colours change', async () => {
    const grey = await pixelsOf(
      await sharp(await photograph())
        .resize(121, 81)
        .greyscale()
        .png()
        .toBuffer(),
    );
    const { data } = await correctLuma(grey);
    expect(data.every((level, at) => Math.abs(level - (grey.data[at] as number)) <= 1)).toBe(true);
  });
});
