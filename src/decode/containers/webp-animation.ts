import { asBuffer } from './isobmff.ts';

/** Where the chunks begin, and where the first chunk of a frame does within `ANMF` (WebP Container Specification, "Animation"). */
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FRAME_HEADER_BYTES = 16;

/** Whether the first frame of an animated WebP is compressed without loss. */
export function isLosslessAnimation(bytes: Uint8Array): boolean {
  const file = asBuffer(bytes);
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.length; ) {
    const content = at + CHUNK_HEADER_BYTES;
    const length = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'ANMF') {
      const frame = content + FRAME_HEADER_BYTES;
      return file.toString('latin1', frame, frame + 4) === 'VP8L';
    }
    at = content + length + (length & 1);
  }
  return false;
}
