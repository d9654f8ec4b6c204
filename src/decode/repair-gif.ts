import { setImmediate } from 'node:timers/promises';
import { EdgepressError } from '../protocol/error.ts';
import { GIF, type GifBlock, gifBlocks } from './gif-blocks.ts';
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
  const blocks = [...gifBlocks(bytes)];
  let [checked, images] = [0, 0];
  for (const { kind, range } of blocks) {
    if (kind !== 'image') continue;
    images++;
    if (!hasAllGifPixels(bytes, range[0])) throw truncated();
    checked += range[1] - range[0];
    if (checked > BYTES_WITHOUT_PAUSE) {
      checked = 0;
      await setImmediate();
    }
  }
  const last = blocks.at(-1) as GifBlock;
  const isTrailed = last.kind === 'trailer';
  const isNextBegun = !isTrailed && last.label === GIF.GRAPHIC_CONTROL;
  const isCutOff = last.range[1] > bytes.length && last.kind !== 'image';
  if (images === 0 || isNextBegun || isCutOff) throw truncated();
  if (isTrailed && isContiguous(blocks)) return bytes;
  return Buffer.concat([
    ...blocks.map(({ range }) => bytes.subarray(range[0], range[1])),
    // The end of an image without its last byte, and the trailer.
    Buffer.from(last.range[1] > bytes.length ? [0, GIF.TRAILER] : isTrailed ? [] : [GIF.TRAILER]),
  ]);
}

function isContiguous(blocks: readonly GifBlock[]): boolean {
  return blocks.every(({ range }, index) => index === 0 || range[0] === blocks[index - 1]?.range[1]);
}

function truncated(): EdgepressError {
  return new EdgepressError('source_corrupt', 'The gif image is truncated');
}
