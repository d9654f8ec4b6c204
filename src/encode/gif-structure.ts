const TRAILER = 0x3b;
const EXTENSION = 0x21;
const IMAGE = 0x2c;

/**
 * Whether a GIF goes on to its trailer. libvips shows as many frames as it finds, so that an animation that broke off
 * would be taken for a shorter one. Follows the blocks of the GIF89a specification; what is in them is not looked at.
 */
export function isWholeGif(bytes: Uint8Array): boolean {
  // Reading past the end gives undefined: as a number NaN, which no block starts with and no length adds up to.
  const byte = (at: number) => bytes[at] ?? Number.NaN;
  let at = 13 + colourTableBytes(byte(10));
  while (at < bytes.byteLength) {
    const kind = byte(at);
    if (kind === TRAILER) return true;
    if (kind === EXTENSION) at = endOfSubBlocks(byte, at + 2);
    else if (kind === IMAGE) at = endOfSubBlocks(byte, at + 11 + colourTableBytes(byte(at + 9)));
    else return false;
  }
  return false;
}

function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Sub-blocks follow each other, each after its length, up to an empty one. NaN, past the end, ends them too. */
function endOfSubBlocks(byte: (at: number) => number, start: number): number {
  let at = start;
  while (byte(at) > 0) at += 1 + byte(at);
  return Number.isNaN(byte(at)) ? Number.POSITIVE_INFINITY : at + 1;
}
