import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { type CodedTile, codedTile, damagedTile, heifRow } from '../support/heif-grid.ts';
import { quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
const SIZE = { width: 96, height: 64 };

async function avifTile(image = quarters(SIZE.width, SIZE.height)): Promise<CodedTile> {
  return codedTile(await image.avif({ effort: 0, chromaSubsampling: '4:2:0' }).toBuffer(), 'av01');
}

async function encode(file: Buffer) {
  const image = await encoder.decode(file, 480, 'viewer');
  return await image.encode({ width: 480, tier: 'saver', format: 'webp', effort: 'fast' });
}

describe('an AVIF in tiles', () => {
  it('is shown if all of them are whole', async () => {
    const tile = await avifTile();
    expect(await encode(heifRow([tile, tile], SIZE))).toMatchObject({ width: 192 });
  });

  it('is corrupt if one is damaged, which decoders show in green', async () => {
    const tile = await avifTile();
    for (const tiles of [
      [tile, damagedTile(tile)],
      [damagedTile(tile), tile, tile],
    ])
      await expect(encode(heifRow(tiles, SIZE))).rejects.toMatchObject({
        code: 'source_corrupt',
        message: expect.stringContaining('a tile of it cannot be decoded'),
      });
  });

  it('is shown if it is as green as damage', async () => {
    const green = await avifTile(sharp({ create: { ...SIZE, channels: 3, background: '#008800' } }));
    expect(await encode(heifRow([green, await avifTile()], SIZE))).toMatchObject({ width: 192 });
  });
});
