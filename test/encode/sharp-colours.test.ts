import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createMetric } from '../../src/encode/metric.ts';
import { flattenPixels, readPixels } from '../../src/encode/pixels.ts';
import { hasSharpColours } from '../../src/encode/sharp-colours.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
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
    expect(hasSharpColours(await pixelsOf(await colouredLetters()))).toBe(true);
    expect(hasSharpColours(await pixelsOf(await screen()))).toBe(false);
    expect(hasSharpColours(await pixelsOf(await photograph()))).toBe(false);
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
