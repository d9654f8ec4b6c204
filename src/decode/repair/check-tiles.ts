import sharp from 'sharp';
import { EdgepressError } from '../../protocol/error.ts';
import { tilePatches } from '../containers/heif-items.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { DECODE_TIMEOUT_SECONDS, withDecodeErrors } from '../decode-errors.ts';
import { checkTilesWithMagick } from '../decoders/magick.ts';
import type { ImageType } from '../image-type.ts';
import type { InspectedSource } from '../inspect.ts';
import type { Size } from '../size.ts';

/** Types whose pictures may be grids of tiles. */
const TILED: readonly ImageType[] = ['avif', 'hevc'];

/** Pixels are looked at in this distance, across and down: tiles are larger, also after they were resized. */
const STEP = 8;

/**
 * What libheif shows in place of a tile: zeros in YCbCr are a green without red and blue. Which one depends on the matrix: 135 of BT.601, 84 of
 * BT.709, 94 of BT.2020, and a few more or less by a profile.
 */
const MISSING = { maxRed: 4, maxBlue: 4, minGreen: 64, maxGreen: 160 };

/**
 * Finds tiles of a HEIF file that a decoder left out because they are damaged: libheif says nothing of them, and shows them in green. Tiles are
 * decoded one by one, which takes as long as the picture, only if it has such a green.
 *
 * @param shown - the pixels of the picture, if they are there
 * @throws EdgepressError `source_corrupt` if a tile is damaged
 */
export async function checkTiles(source: InspectedSource, shown?: ShownPixels): Promise<void> {
  const { type, frames, bytes, decoder, decodeBytes } = source;
  if (!TILED.includes(type) || frames > 1 || (shown && !hasMissingColour(shown))) return;
  const tiles = tilePatches(asBuffer(bytes));
  if (tiles.length === 0) return;
  try {
    if (decoder === 'magick') await checkTilesWithMagick(bytes, type, { tiles, decodeBytes });
    else await checkTilesWithSharp(bytes, type, tiles);
  } catch (error) {
    if (!(error instanceof EdgepressError) || error.code !== 'source_corrupt') throw error;
    const detail = `The ${type} image is damaged: a tile of it cannot be decoded`;
    throw new EdgepressError('source_corrupt', detail, { cause: error.cause });
  }
}

/** 8-bit pixels in RGB or RGBA. */
interface ShownPixels extends Size {
  data: Uint8Array;
  channels: number;
}

function hasMissingColour({ data, width, height, channels }: ShownPixels): boolean {
  if (channels < 3) return false;
  for (let y = 0; y < height; y += STEP) {
    const end = (y + 1) * width * channels;
    for (let at = y * width * channels; at < end; at += STEP * channels)
      if (isMissingColour(data[at] as number, data[at + 1] as number, data[at + 2] as number)) return true;
  }
  return false;
}

function isMissingColour(red: number, green: number, blue: number): boolean {
  const { maxRed, maxBlue, minGreen, maxGreen } = MISSING;
  return red <= maxRed && blue <= maxBlue && green >= minGreen && green <= maxGreen;
}

async function checkTilesWithSharp(
  bytes: Uint8Array,
  type: ImageType,
  tiles: ReturnType<typeof tilePatches>,
): Promise<void> {
  const file = Buffer.from(bytes);
  for (const patches of tiles) {
    for (const [at, value] of patches) file[at] = value;
    const tile = sharp(file, { failOn: 'warning', limitInputPixels: false }).raw();
    await withDecodeErrors(type, () => tile.timeout({ seconds: DECODE_TIMEOUT_SECONDS }).toBuffer());
  }
}
