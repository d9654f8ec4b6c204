/** A run of bytes of a file, from the first to before the last. */
type Part = readonly [from: number, to: number];

const JPEG = {
  END: 0xd9,
  SCAN: 0xda,
  JFIF: 0xe0,
  /** Before any marker there may be more of these. */
  FILL: 0xff,
  /**
   * Frames that browsers decode (baseline, extended, progressive), scans, quantisation and Huffman tables, the restart interval, and what
   * says which colours these are: JFIF and Adobe.
   */
  KEPT: [0xc0, 0xc1, 0xc2, 0xda, 0xdb, 0xc4, 0xdd, 0xe0, 0xee, 0xd9],
  DROPPED: [...Array.from({ length: 16 }, (_, index) => 0xe0 + index), 0xfe, 0xff],
};

/** Of a PNG: the chunks that say what it looks like in sRGB. An animated one becomes the still that others see. */
const PNG_KEPT = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'sRGB', 'sBIT', 'bKGD', 'pHYs'];
/** With these it looks otherwise than its numbers say. */
const PNG_COLOURS = ['gAMA', 'cHRM', 'cICP', 'mDCV'];
const WEBP_KEPT = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF'];
/** Flags of VP8X: an ICC profile, Exif, XMP. */
const WEBP_EXTRAS = 0x20 | 0x08 | 0x04;
/** Of a GIF: graphic control. Other extensions are texts, but for how often it repeats. */
const GIF_CONTROL = 0xf9;
const GIF_APPLICATION = 0xff;
const GIF_REPEATS = ['NETSCAPE2.0', 'ANIMEXTS1.0'];

/**
 * Leaves out of a JPEG all that does not belong to the picture: Exif, XMP, thumbnails, comments, what follows its end.
 *
 * @returns `undefined` if it is not built as browsers know it
 */
export function copyJpeg(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const parts: Part[] = [[0, 2]];
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    const end = endOfSegment(bytes, at, marker);
    const isKept = JPEG.KEPT.includes(marker) && !isThumbnail(bytes, at);
    if (isKept) parts.push([at, end]);
    else if (!JPEG.DROPPED.includes(marker)) return undefined;
    if (marker === JPEG.END) return join(bytes, parts);
    at = end;
  }
  return undefined;
}

/** JFIF's own extension. */
function isThumbnail(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === JPEG.JFIF && latin(bytes, at + 4, 5) === 'JFXX\0';
}

function endOfSegment(bytes: Uint8Array, at: number, marker: number): number {
  if (marker === JPEG.FILL) return at + 1;
  if (marker === JPEG.END) return at + 2;
  return marker === JPEG.SCAN ? endOfScan(bytes, at) : at + 2 + uint16(bytes, at + 2);
}

/** Entropy-coded data follow a scan's header, up to a marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Uint8Array, start: number): number {
  let at = start + 2 + uint16(bytes, start + 2);
  for (; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] as number;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) break;
  }
  return at;
}

/** Leaves out of a PNG all but the picture; `undefined` if its numbers are no sRGB. A profile is for the caller to judge. */
export function copyPng(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const chunks: { name: string; part: Part }[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + uint32(bytes, at);
    chunks.push({ name: latin(bytes, at + 4, 4), part: [at, end] });
    at = end;
    if (chunks.at(-1)?.name === 'IEND') break;
  }
  const names = chunks.map(({ name }) => name);
  const isOther = !names.includes('sRGB') && names.some((name) => PNG_COLOURS.includes(name));
  if (isOther || names.at(-1) !== 'IEND') return undefined;
  const kept = chunks.filter(({ name }) => PNG_KEPT.includes(name));
  return join(bytes, [[0, 8], ...kept.map(({ part }) => part)]);
}

/** Leaves out of a WebP all but the picture. */
export function copyWebp(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const parts: Part[] = [[0, 12]];
  const end = Math.min(bytes.length, 8 + uint32(bytes, 4, true));
  for (let at = 12; at + 8 <= end; ) {
    const length = uint32(bytes, at + 4, true);
    const next = at + 8 + length + (length & 1);
    if (WEBP_KEPT.includes(latin(bytes, at, 4))) parts.push([at, Math.min(next, bytes.length)]);
    at = next;
  }
  const copy = join(bytes, parts);
  new DataView(copy.buffer).setUint32(4, copy.length - 8, true);
  if (latin(copy, 12, 4) === 'VP8X') copy[20] = (copy[20] as number) & ~WEBP_EXTRAS;
  return copy;
}

/** Leaves comments, texts and what programs add out of a GIF, and what follows its end. */
export function copyGif(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const colours = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  const skipBlocks = (from: number) => {
    let at = from;
    while ((bytes[at] ?? 0) > 0) at += 1 + (bytes[at] as number);
    return at + 1;
  };
  let at = 13 + colours(bytes[10] ?? 0);
  const parts: Part[] = [[0, at]];
  while (at < bytes.length) {
    const kind = bytes[at];
    if (kind === 0x3b) return join(bytes, [...parts, [at, at + 1]]);
    const isImage = kind === 0x2c;
    if (!isImage && kind !== 0x21) return undefined;
    const end = skipBlocks(isImage ? at + 11 + colours(bytes[at + 9] ?? 0) : at + 2);
    const label = bytes[at + 1];
    const isRepeat = label === GIF_APPLICATION && GIF_REPEATS.includes(latin(bytes, at + 3, 11));
    if (isImage || label === GIF_CONTROL || isRepeat) parts.push([at, end]);
    at = end;
  }
  return undefined;
}

function join(bytes: Uint8Array, parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(parts.reduce((sum, [from, to]) => sum + to - from, 0));
  let at = 0;
  for (const [from, to] of parts) {
    copy.set(bytes.subarray(from, to), at);
    at += to - from;
  }
  return copy;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint32(bytes: Uint8Array, at: number, littleEndian = false): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, littleEndian);
}

function latin(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1');
}

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
