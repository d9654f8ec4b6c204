import { setImmediate } from 'node:timers/promises';
import { EdgepressError } from '../../protocol/error.ts';
import { KeptParts } from '../containers/file-parts.ts';
import { GIF, type GifBlock, gifBlocks } from '../containers/gif-blocks.ts';
import { withTransparentGaps } from './gif-gaps.ts';
import { hasAllGifPixels } from './gif-pixels.ts';

/** Checking this much takes some 10 ms; other requests get a turn then. */
const BYTES_WITHOUT_PAUSE = 2 ** 20;

/**
 * Gives a GIF the trailer that it lacks, and takes out what stands between its blocks, if all of its frames are whole. Decoders show as many
 * frames and pixels as they find, so they would take a truncated GIF for a shorter one. Its gaps become transparent.
 *
 * @returns the same bytes if there is nothing to repair
 * @throws EdgepressError `source_corrupt` if a frame is not whole, or the next one has begun
 */
export async function repairGif(bytes: Uint8Array): Promise<Uint8Array> {
  let last: GifBlock | undefined;
  const kept = new KeptParts(bytes);
  let [hasImage, isContiguous, unpaused] = [false, true, 0];
  for (const block of gifBlocks(bytes)) {
    isContiguous &&= last === undefined || last.range[1] === block.range[0];
    last = block;
    if (block.kind !== 'trailer') kept.add(...block.range);
    if (block.kind !== 'image') continue;
    if (!hasAllGifPixels(bytes, block.range[0])) throw truncated();
    hasImage = true;
    unpaused += block.range[1] - block.range[0];
    if (unpaused > BYTES_WITHOUT_PAUSE) {
      unpaused = 0;
      await setImmediate();
    }
  }
  if (!last || !hasImage || isBegun(last, bytes)) throw truncated();
  if (last.kind === 'trailer' && isContiguous) return withTransparentGaps(bytes);
  // The last image may lack the byte that ends its data.
  const end = last.range[1] > bytes.length ? [0, GIF.TRAILER] : [GIF.TRAILER];
  return withTransparentGaps(Buffer.concat([kept.copy(), Buffer.from(end)]));
}

/** Whether a last block is cut off, or announces a frame that does not follow. */
function isBegun({ kind, label, range }: GifBlock, bytes: Uint8Array): boolean {
  return kind === 'extension' && (range[1] > bytes.length || label === GIF.GRAPHIC_CONTROL);
}

function truncated(): EdgepressError {
  return new EdgepressError('source_corrupt', 'The gif image is truncated');
}
