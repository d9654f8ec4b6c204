import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readAvifItems } from '../../src/decode/containers/avif-items.ts';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { box } from '../support/heif.ts';
import { type HeifReference, heifFile } from '../support/heif-file.ts';
import { decodedPixels } from '../support/outcome.ts';

const SIZE = { width: 64, height: 48 };

/** Returns an AVIF whose colours are multiplied by its transparency, as far as it says so. */
async function avifOf(pixel: readonly number[], saysSo: boolean, bitdepth: 8 | 10 = 8): Promise<Buffer> {
  const data = Buffer.from(Array.from({ length: SIZE.width * SIZE.height }, () => pixel).flat());
  const image = sharp(data, { raw: { ...SIZE, channels: 4 } });
  const file = await image.avif({ lossless: true, effort: 0, bitdepth }).toBuffer();
  const items = readAvifItems(file)?.all ?? [];
  const prem: HeifReference[] = saysSo ? [{ type: 'prem', from: 1, to: [2] }] : [];
  return heifFile(
    ['avif', 'mif1', 'miaf'],
    items.map((item) => ({
      type: 'av01',
      data: item.data,
      properties: [...item.properties]
        .sort((a, b) => Number(b.type === 'av1C') - Number(a.type === 'av1C'))
        .map(({ type, content }) => box(type, content)),
    })),
    { references: [{ type: 'auxl', from: 2, to: [1] }, ...prem] },
  );
}

describe('an AVIF whose colours are multiplied by its transparency', () => {
  it.each([8, 10] as const)(
    'has its own colours, and those that are opaque or gone stay (%i bits)',
    async (bits) => {
      const shown = async (pixel: number[], saysSo = true) => {
        const pixels = await decodedPixels(await avifOf(pixel, saysSo, bits));
        return [...pixels.subarray(0, 4)];
      };
      const expectNear = (actual: number[], expected: number[]) => {
        expect(actual).toHaveLength(4);
        for (const [channel, level] of actual.entries())
          expect(Math.abs(level - (expected[channel] as number)), `${actual}`).toBeLessThanOrEqual(4);
      };
      expectNear(await shown([100, 50, 20, 128]), [199, 100, 40, 128]);
      expectNear(await shown([100, 50, 20, 255]), [100, 50, 20, 255]);
      expectNear(await shown([0, 0, 0, 0]), [0, 0, 0, 0]);
      expectNear(await shown([100, 50, 20, 128], false), [100, 50, 20, 128]);
    },
  );

  it('is not sent as it is: not every decoder divides', async () => {
    const source = await inspectSource(await avifOf([100, 50, 20, 128], true), 1e6);
    expect(servableOriginal(source)).toBeUndefined();
  });
});
