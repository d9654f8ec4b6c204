import { WalkLimit } from './file-parts.ts';

/** Block introducers and extension labels of the GIF89a specification. */
export const GIF = { EXTENSION: 0x21, IMAGE: 0x2c, TRAILER: 0x3b, GRAPHIC_CONTROL: 0xf9, APPLICATION: 0xff };

/** A block of a GIF. */
export interface GifBlock {
  kind: 'header' | 'image' | 'extension' | 'trailer';
  /** Of an extension. */
  label?: number | undefined;
  /** Its bytes in the file; `to` is exclusive, and lies beyond the end of the file if the block is cut off. */
  range: readonly [from: number, to: number];
}

/**
 * Walks over the blocks of a GIF, from the header to the trailer; the contents of blocks are not checked. Zeros between blocks are skipped.
 * It ends without a trailer at the end of the file, and at a byte that begins no block.
 *
 * @throws EdgepressError `source_too_large` for countless blocks
 */
export function* gifBlocks(bytes: Uint8Array): Generator<GifBlock> {
  const limit = new WalkLimit();
  let at = 13 + colourTableBytes(bytes[10] ?? 0);
  yield { kind: 'header', range: [0, at] };
  while (at < bytes.length) {
    while (bytes[at] === 0) at++;
    limit.countPart();
    const from = at;
    if (bytes[from] === GIF.TRAILER) return yield { kind: 'trailer', range: [from, from + 1] };
    if (bytes[from] === GIF.IMAGE) {
      at = endOfSubBlocks(bytes, gifImageDataAt(bytes, from) + 1, limit);
      yield { kind: 'image', range: [from, at] };
    } else if (bytes[from] === GIF.EXTENSION) {
      at = endOfSubBlocks(bytes, from + 2, limit);
      yield { kind: 'extension', label: bytes[from + 1], range: [from, at] };
    } else return;
  }
}

/** Returns where the data of an image block begin, with the code size, after its descriptor and its colour table. */
export function gifImageDataAt(bytes: Uint8Array, block: number): number {
  return block + 10 + colourTableBytes(bytes[block + 9] ?? 0);
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Sub-blocks follow each other, each after a byte with its length, up to an empty one. */
function endOfSubBlocks(bytes: Uint8Array, start: number, limit: WalkLimit): number {
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    limit.count();
    at += 1 + length;
  }
  return at + 1;
}
