import type { StoredInfo } from './store.ts';

/*
 * A file holds an object's body and, at its end, a trailer with everything else that is known about the object, so that one rename
 * replaces both:
 *
 *   body | size (4, big-endian) "free" JSON size (4, again) magic (8)
 *        '---------------- one ISO BMFF box of `size` bytes ----------'
 *
 * AVIF readers skip `free` boxes (ISO/IEC 14496-12, 8.1.2); JPEG, PNG, GIF and WebP readers stop where their image ends. So any
 * image viewer opens the file. The box gives its size twice, so that it can also be found from the end.
 */
const BOX_TYPE = Buffer.from('free', 'latin1');
const MAGIC = Buffer.from('edgeprs1', 'latin1');
const HEAD_BYTES = 4 + BOX_TYPE.length;
const FOOT_BYTES = 4 + MAGIC.length;

/** How much of a file's end to read first to find its trailer: metadata is at most 2 KB, and JSON escapes little of it. */
export const USUAL_TRAILER_BYTES = 4096;

/** Returns the trailer to write after a body. */
export function encodeTrailer(info: StoredInfo): Buffer<ArrayBuffer> {
  const json = Buffer.from(JSON.stringify(info), 'utf8');
  const size = HEAD_BYTES + json.length + FOOT_BYTES;
  const trailer = Buffer.alloc(size);
  trailer.writeUInt32BE(size, 0);
  BOX_TYPE.copy(trailer, 4);
  json.copy(trailer, HEAD_BYTES);
  trailer.writeUInt32BE(size, size - FOOT_BYTES);
  MAGIC.copy(trailer, size - MAGIC.length);
  return trailer;
}

/**
 * @param tail - the end of a file
 * @returns the size that the trailer gives for itself, which may be more than `tail` has; `undefined` when there is no trailer
 */
export function trailerBytes(tail: Buffer): number | undefined {
  if (tail.length < FOOT_BYTES) return undefined;
  if (tail.compare(MAGIC, 0, MAGIC.length, tail.length - MAGIC.length) !== 0) return undefined;
  return tail.readUInt32BE(tail.length - FOOT_BYTES);
}

/**
 * @param tail - the end of a file, with at least its whole trailer
 * @param fileBytes - the length of the whole file
 * @returns the content of the trailer; `undefined` when there is none, or when it does not fit this file
 */
export function decodeTrailer(tail: Buffer, fileBytes: number): StoredInfo | undefined {
  const size = trailerBytes(tail);
  if (size === undefined || size < HEAD_BYTES + FOOT_BYTES || size > tail.length) return undefined;
  const start = tail.length - size;
  if (tail.readUInt32BE(start) !== size) return undefined;
  if (tail.compare(BOX_TYPE, 0, BOX_TYPE.length, start + 4, start + HEAD_BYTES) !== 0) return undefined;
  const info = parse(tail.toString('utf8', start + HEAD_BYTES, tail.length - FOOT_BYTES));
  return info?.bytes === fileBytes - size ? info : undefined;
}

function parse(json: string): StoredInfo | undefined {
  let value: Partial<StoredInfo> | null;
  try {
    value = JSON.parse(json) as Partial<StoredInfo> | null;
  } catch {
    return undefined;
  }
  const { contentType, cacheControl, metadata, etag, bytes } = value ?? {};
  if (typeof contentType !== 'string' || typeof etag !== 'string' || typeof bytes !== 'number')
    return undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (cacheControl !== undefined && typeof cacheControl !== 'string') return undefined;
  return { contentType, cacheControl, metadata, etag, bytes };
}
