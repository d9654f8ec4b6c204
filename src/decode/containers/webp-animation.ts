import { webpChunks } from './chunks.ts';
import { asBuffer } from './isobmff.ts';

/** Where the first chunk of a frame begins within `ANMF` (WebP Container Specification, "Animation"). */
const FRAME_HEADER_BYTES = 16;

/** Whether the first frame of an animated WebP is compressed without loss. */
export function isLosslessAnimation(bytes: Uint8Array): boolean {
  for (const { type, dataStart } of webpChunks(bytes)) {
    const frame = dataStart + FRAME_HEADER_BYTES;
    if (type === 'ANMF') return asBuffer(bytes).toString('latin1', frame, frame + 4) === 'VP8L';
  }
  return false;
}
