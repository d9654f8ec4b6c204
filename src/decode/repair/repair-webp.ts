/**
 * Corrects the length in the header of a WebP whose chunks are all there, and leaves out what follows them (WebP Container Specification:
 * `File Size` counts all bytes after itself).
 *
 * @returns the same bytes if there is nothing to repair, or if a chunk is cut off
 */
export function repairWebp(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12;
  while (at + 8 <= file.length && /^[\x20-\x7e]{4}$/.test(file.toString('latin1', at, at + 4))) {
    const length = file.readUInt32LE(at + 4);
    if (at + 8 + length > file.length) return bytes;
    at += 8 + length + (length & 1);
  }
  if (at === 12 || 8 + file.readUInt32LE(4) === at) return bytes;
  const repaired = Buffer.alloc(at);
  file.copy(repaired);
  repaired.writeUInt32LE(at - 8, 4);
  return repaired;
}
