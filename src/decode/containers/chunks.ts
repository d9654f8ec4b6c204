// The chunks of PNG and WebP: a length and a type of four letters stand before the data of each.

import { crc32 } from 'node:zlib';
import { WalkLimit } from './file-parts.ts';
import { asBuffer } from './isobmff.ts';

/** A chunk: its bytes in the file with length and type, and where its data are. The file may end before `dataEnd` and `end`. */
export interface Chunk {
  type: string;
  start: number;
  dataStart: number;
  dataEnd: number;
  /** Exclusive, behind a checksum or a byte of padding. */
  end: number;
}

const PNG_SIGNATURE_BYTES = 8;
const RIFF_HEADER_BYTES = 12;
const HEADER_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Where the first chunk of a frame begins within `ANMF` (WebP Container Specification, "Animation"). */
const FRAME_HEADER_BYTES = 16;

/**
 * Walks over the chunks of a PNG (PNG, third edition, section 5.3) up to its end or that of the file, where a chunk may be cut off.
 *
 * @throws EdgepressError `source_too_large` for countless chunks
 */
export function* pngChunks(bytes: Uint8Array): Generator<Chunk> {
  const file = asBuffer(bytes);
  const limit = new WalkLimit();
  for (let at = PNG_SIGNATURE_BYTES; at + HEADER_BYTES <= file.length; ) {
    limit.countPart();
    const type = file.toString('latin1', at + 4, at + HEADER_BYTES);
    const dataStart = at + HEADER_BYTES;
    const dataEnd = dataStart + file.readUInt32BE(at);
    yield { type, start: at, dataStart, dataEnd, end: dataEnd + CHECKSUM_BYTES };
    if (type === 'IEND') return;
    at = dataEnd + CHECKSUM_BYTES;
  }
}

/**
 * Walks over the chunks of a WebP (WebP Container Specification, "RIFF File Format") up to the end of the file, where one may be cut off.
 *
 * @throws EdgepressError `source_too_large` for countless chunks
 */
export function* webpChunks(bytes: Uint8Array): Generator<Chunk> {
  const file = asBuffer(bytes);
  const limit = new WalkLimit();
  for (let at = RIFF_HEADER_BYTES; at + HEADER_BYTES <= file.length; ) {
    limit.countPart();
    const dataStart = at + HEADER_BYTES;
    const length = file.readUInt32LE(at + 4);
    const end = dataStart + length + (length & 1);
    yield {
      type: file.toString('latin1', at, at + 4),
      start: at,
      dataStart,
      dataEnd: dataStart + length,
      end,
    };
    at = end;
  }
}

/** Whether the first frame of an animated WebP is compressed without loss. */
export function isLosslessAnimation(bytes: Uint8Array): boolean {
  for (const { type, dataStart } of webpChunks(bytes)) {
    const frame = dataStart + FRAME_HEADER_BYTES;
    if (type === 'ANMF') return asBuffer(bytes).toString('latin1', frame, frame + 4) === 'VP8L';
  }
  return false;
}

/** Returns a chunk of a PNG with its length, type and checksum (PNG, third edition, section 5.3). */
export function pngChunk(type: string, content: Uint8Array): Buffer {
  const chunk = Buffer.alloc(content.length + 12);
  chunk.writeUInt32BE(content.length);
  chunk.write(type, 4, 'latin1');
  chunk.set(content, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + content.length)), 8 + content.length);
  return chunk;
}
