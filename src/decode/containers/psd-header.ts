import type { Size } from '../size.ts';

/** Lengths in the header section of Adobe's Photoshop file format specification. */
const HEADER_BYTES = 26;
/** Compressions of the composite. */
const RAW = 0;
const RUN_LENGTHS = 1;

/** Returns the size of a Photoshop document, in pixels. */
export function readPsdSize(file: Buffer): Size {
  return { width: file.readUInt32BE(18), height: file.readUInt32BE(14) };
}

/**
 * Whether the composite of a Photoshop document is in the file as a whole. It is the last section, and decoders show what is missing of it
 * in black.
 *
 * @throws RangeError if the file ends before the composite
 */
export function isWholePsd(file: Buffer): boolean {
  const isLarge = file.readUInt16BE(4) === 2;
  const [channels, depth] = [file.readUInt16BE(12), file.readUInt16BE(22)];
  const { width, height } = readPsdSize(file);
  let at = HEADER_BYTES;
  // Colour modes and resources have a length of 32 bits; that of the layers has 64 bits in a large document.
  for (let section = 0; section < 2; section++) at += 4 + file.readUInt32BE(at);
  at += isLarge ? 8 + Number(file.readBigUInt64BE(at)) : 4 + file.readUInt32BE(at);
  const compression = file.readUInt16BE(at);
  at += 2;
  const rows = height * channels;
  if (compression === RAW) return at + rows * Math.ceil((width * depth) / 8) <= file.length;
  if (compression !== RUN_LENGTHS) return true;
  const countBytes = isLarge ? 4 : 2;
  if (at + rows * countBytes > file.length) return false;
  let end = at + rows * countBytes;
  for (let row = 0; row < rows; row++) end += file.readUIntBE(at + row * countBytes, countBytes);
  return end <= file.length;
}
