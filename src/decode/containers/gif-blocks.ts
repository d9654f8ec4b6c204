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
 */
export function* gifBlocks(bytes: Uint8Array): Generator<GifBlock> {
  let at = 13 + colourTableBytes(bytes[10] ?? 0);
  yield { kind: 'header', range: [0, at] };
  for (; at < bytes.length; ) {
    const introducer = bytes[at];
    if (introducer === GIF.TRAILER) return yield { kind: 'trailer', range: [at, at + 1] };
    const from = at;
    if (introducer === GIF.IMAGE) at = endOfSubBlocks(bytes, gifImageDataAt(bytes, from) + 1);
    else if (introducer === GIF.EXTENSION) at = endOfSubBlocks(bytes, from + 2);
    else if (introducer === 0) at++;
    else return;
    if (introducer === GIF.IMAGE) yield { kind: 'image', range: [from, at] };
    if (introducer === GIF.EXTENSION) yield { kind: 'extension', label: bytes[from + 1], range: [from, at] };
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
function endOfSubBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) at += 1 + length;
  return at + 1;
}
