import { gifImageDataAt } from '../containers/gif-blocks.ts';

/** Codes of LZW in a GIF have at most 12 bits (GIF89a specification, appendix F). */
const MAX_BITS = 12;
const MAX_CODES = 2 ** MAX_BITS;

/** The number of pixels that each code stands for. It is written before it is read, so one array serves all images. */
const lengths = new Uint32Array(MAX_CODES);
/** The colours that have been read as a code of their own, as each colour is before it is part of a longer one. */
const colours = new Uint8Array(MAX_CODES);
const MAX_COLOURS = 256;

/**
 * Whether the data of an image block hold all of its pixels. Decoders accept fewer: they leave the rest as it was.
 *
 * @param block - where the image block begins in the file
 */
export function hasAllGifPixels(bytes: Uint8Array, block: number): boolean {
  const at = gifImageDataAt(bytes, block);
  const width = (bytes[block + 5] ?? 0) | ((bytes[block + 6] ?? 0) << 8);
  const height = (bytes[block + 7] ?? 0) | ((bytes[block + 8] ?? 0) << 8);
  const minimumBits = bytes[at] ?? 0;
  return minimumBits > 0 && minimumBits < MAX_BITS && holdsPixels(bytes, at + 1, minimumBits, width * height);
}

/** Returns a colour that no pixel of a whole image block has; `undefined` if they have all that there can be. */
export function unusedGifColour(bytes: Uint8Array, block: number): number | undefined {
  colours.fill(0);
  if (!hasAllGifPixels(bytes, block)) return undefined;
  const unused = colours.lastIndexOf(0, MAX_COLOURS - 1);
  return unused < 0 ? undefined : unused;
}

/** Follows the codes without decoding their colours: each new one stands for one pixel more than the code before it. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one loop over all codes; functions for its steps would double its time.
function holdsPixels(bytes: Uint8Array, start: number, minimumBits: number, pixels: number): boolean {
  const clear = 1 << minimumBits;
  lengths.fill(1, 0, clear);
  let [next, codeBits, previous, count] = [clear + 2, minimumBits + 1, 0, 0];
  let [at, endOfSubBlock, buffer, bufferBits] = [start, start, 0, 0];
  while (count < pixels) {
    while (bufferBits < codeBits) {
      if (at === endOfSubBlock) {
        endOfSubBlock = at + 1 + (bytes[at] ?? 0);
        at++;
        if (endOfSubBlock === at) return false;
      }
      if (at >= bytes.length) return false;
      buffer |= (bytes[at++] as number) << bufferBits;
      bufferBits += 8;
    }
    const code = buffer & ((1 << codeBits) - 1);
    buffer >>>= codeBits;
    bufferBits -= codeBits;
    if (code === clear) {
      [next, codeBits, previous] = [clear + 2, minimumBits + 1, 0];
      continue;
    }
    if (code === clear + 1 || code > next || (code === next && previous === 0)) return false;
    if (previous > 0 && next < MAX_CODES) lengths[next++] = previous + 1;
    if (code >= next) return false;
    if (code < clear) colours[code] = 1;
    previous = lengths[code] as number;
    count += previous;
    if (next === 1 << codeBits && codeBits < MAX_BITS) codeBits++;
  }
  return true;
}
