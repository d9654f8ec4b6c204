import { setImmediate } from 'node:timers/promises';
import { EdgepressError } from '../../protocol/error.ts';
import { GIF, type GifBlock, gifBlocks } from '../containers/gif-blocks.ts';
import { hasAllGifPixels } from './gif-pixels.ts';

/** Checking this much takes some 10 ms; other requests get a turn then. */
const BYTES_WITHOUT_PAUSE = 2 ** 20;

/**
 * Gives a GIF the trailer that it lacks, and takes out what stands between its blocks, if all of its frames are whole. Decoders show as many
 * frames and pixels as they find, so they would take a truncated GIF for a shorter one.
 *
 * @returns the same bytes if there is nothing to repair
 * @throws EdgepressError `source_corrupt` if a frame is not whole, or the next one has begun
 */
export async function repairGif(bytes: Uint8Array): Promise<Uint8Array> {
  let last: GifBlock | undefined;
  let [hasImage, isContiguous, unpaused] = [false, true, 0];
  for (const block of gifBlocks(bytes)) {
    isContiguous &&= last === undefined || last.range[1] === block.range[0];
    last = block;
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
  return last.kind === 'trailer' && isContiguous ? bytes : copyBlocks(bytes);
}

/** Whether a last block is cut off, or announces a frame that does not follow. */
function isBegun({ kind, label, range }: GifBlock, bytes: Uint8Array): boolean {
  return kind === 'extension' && (range[1] > bytes.length || label === GIF.GRAPHIC_CONTROL);
}

/** The last image may lack the byte that ends its data. */
function copyBlocks(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(bytes.length + 2);
  let at = 0;
  for (const { kind, range } of gifBlocks(bytes)) {
    if (kind === 'trailer') continue;
    copy.set(bytes.subarray(...range), at);
    at += range[1] - range[0];
  }
  copy[at] = GIF.TRAILER;
  return copy.subarray(0, at + 1);
}

function truncated(): EdgepressError {
  return new EdgepressError('source_corrupt', 'The gif image is truncated');
}
