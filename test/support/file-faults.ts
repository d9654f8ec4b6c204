import { crc32 } from 'node:zlib';

/** A segment of a JPEG: its marker, and its bytes with marker and length. */
export interface JpegPart {
  marker: number;
  bytes: Buffer;
}

/** Splits a JPEG with one scan into its segments, the data of the scan, and the marker of the end. */
export function splitJpeg(file: Buffer): { segments: JpegPart[]; data: Buffer; end: Buffer } {
  const segments: JpegPart[] = [];
  for (let at = 2; ; ) {
    const next = at + 2 + file.readUInt16BE(at + 2);
    const marker = file[at + 1] as number;
    segments.push({ marker, bytes: file.subarray(at, next) });
    at = next;
    if (marker === 0xda) return { segments, data: file.subarray(at, -2), end: file.subarray(-2) };
  }
}

export function joinJpeg(segments: readonly Buffer[], ...rest: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments, ...rest]);
}

/** Returns an application segment whose length may be wrong. */
export function jpegSegment(marker: number, content: Buffer, length = content.length + 2): Buffer {
  return Buffer.concat([Buffer.from([0xff, marker, length >> 8, length & 255]), content]);
}

/** A chunk of a PNG. */
export interface PngPart {
  type: string;
  data: Buffer;
}

export function splitPng(file: Buffer): PngPart[] {
  const chunks: PngPart[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    chunks.push({
      type: file.toString('latin1', at + 4, at + 8),
      data: file.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return chunks;
}

export function joinPng(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

/** Returns a chunk with its checksum, or with a wrong one. */
export function pngChunk({ type, data }: PngPart, isRight = true): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  const checksum = crc32(chunk.subarray(4, 8 + data.length));
  chunk.writeUInt32BE((isRight ? checksum : ~checksum) >>> 0, 8 + data.length);
  return chunk;
}
