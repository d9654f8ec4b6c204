import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { heicGrid, TILE } from '../support/heif.ts';
import { damagedTile, heifRow, hevcTile } from '../support/heif-grid.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });

describe('a HEIC with an item for each tile', () => {
  it('is decoded with more items than sharp accepts', async () => {
    const [columns, rows] = [20, 15];
    const image = await encoder.decode(await heicGrid(columns, rows), 480, 'viewer');
    expect(image.facts).toMatchObject({
      contentType: 'image/heic',
      width: columns * TILE.width,
      height: rows * TILE.height,
    });
    const variant = await image.encode({ width: 480, tier: 'saver', format: 'webp', effort: 'fast' });
    expect(variant.width / variant.height).toBe(2);
  });

  it('is too large at 200 megapixels, which its header says', async () => {
    const source = await heicGrid(32, 25, { width: 16_320, height: 12_240 });
    await expect(encoder.decode(source, 480, 'viewer')).rejects.toMatchObject({
      code: 'source_too_large',
      message: expect.stringContaining('16320×12240'),
    });
  });

  it('is corrupt where tiles are missing', async () => {
    const source = await heicGrid(20, 15);
    const cut = source.subarray(0, source.length - 300);
    await expect(encoder.decode(cut, 480, 'viewer')).rejects.toMatchObject({ code: 'source_corrupt' });
  });

  it('is corrupt where a tile is damaged, which decoders show in green', async () => {
    const tile = await hevcTile();
    await encoder.decode(heifRow([tile, tile], TILE), 160, 'viewer');
    await expect(
      encoder.decode(heifRow([tile, damagedTile(tile)], TILE), 160, 'viewer'),
    ).rejects.toMatchObject({
      code: 'source_corrupt',
      message: expect.stringContaining('a tile of it cannot be decoded'),
    });
  });
});
