import { closeSync, fstatSync, openSync, read, readFileSync, readSync, type Stats, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { md5 } from '../hashing.ts';
import { ignoreNotFound } from './file-tree.ts';
import type { ObjectInfo, StoredInfo, StoredObject } from './store.ts';
import { decodeTrailer, encodeTrailer, trailerBytes, USUAL_TRAILER_BYTES } from './trailer.ts';

/*
 * One object as one file: the body, then a trailer with everything else (see `trailer.ts`). So a variant opens in any image
 * viewer, and its metadata can never belong to other bytes. A `.json` object of which nothing else is known is a plain file.
 * A file that is not a whole object (truncated, damaged, or put there by hand) counts as a miss.
 */

/** Larger reads go to the thread pool: from a cold disk a synchronous one would block the event loop for longer than that costs. */
const MAX_SYNC_READ_BYTES = 1_048_576;

const readAsync = promisify(read);

/** Whether a key is that of a JSON record, such as a manifest, rather than of a variant. */
export function isRecord(key: string): boolean {
  return key.endsWith('.json');
}

/** Returns the parts of the file for an object, in order, and the object's ETag. */
export function encodeObjectFile(
  key: string,
  body: Uint8Array,
  info: ObjectInfo,
): { parts: Uint8Array[]; etag: string } {
  const stored = storedInfoOf(body, info);
  // A plain file that ends like a trailer would be read as if it had one.
  const isPlain = isRecord(key) && isPlainRecord(info) && !endsLikeTrailer(body);
  return { parts: isPlain ? [body] : [body, encodeTrailer(stored)], etag: stored.etag };
}

/** Reads the whole object from an open file; `undefined` when the file is not a whole object. */
export async function readObject(key: string, fd: number, file: Stats): Promise<StoredObject | undefined> {
  const bytes = await readRange(fd, 0, file.size);
  const info = decodeInfo(key, bytes, file.size);
  if (!info) return undefined;
  const body = bytes.subarray(0, info.bytes);
  return etagOf(body) === info.etag ? { ...info, body, modifiedMs: modifiedMsOf(file) } : undefined;
}

/** Reads only the end of an open file, except for a plain record. */
export async function readInfo(key: string, fd: number, file: Stats): Promise<StoredInfo | undefined> {
  const info = await readOwnInfo(key, fd, file);
  return info && { ...info, modifiedMs: modifiedMsOf(file) };
}

async function readOwnInfo(key: string, fd: number, file: Stats): Promise<StoredInfo | undefined> {
  const tail = await readTail(fd, file.size, USUAL_TRAILER_BYTES);
  const claimedBytes = trailerBytes(tail) ?? 0;
  const trailer = claimedBytes > tail.length ? await readTail(fd, file.size, claimedBytes) : tail;
  const info = decodeTrailer(trailer, file.size);
  if (info || !isRecord(key)) return info;
  return decodeInfo(key, await readRange(fd, 0, file.size), file.size);
}

/**
 * Returns, synchronously, whether the object at this path has this ETag; for `undefined`, whether there is no whole object. Only the
 * latter hashes the body, since only a damaged one differs from its ETag.
 */
export function hasEtag(key: string, path: string, etag: string | undefined): boolean {
  const file = readFileIfExists(path);
  const info = file && decodeInfo(key, file, file.byteLength);
  if (etag !== undefined) return info?.etag === etag;
  return !info || etagOf(file.subarray(0, info.bytes)) !== info.etag;
}

function readFileIfExists(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    return ignoreNotFound(error);
  }
}

/** Passes the open file and its stats to `use`; returns `undefined` when there is no such file. */
export async function withFile<T>(
  path: string,
  use: (fd: number, file: Stats) => Promise<T | undefined>,
): Promise<T | undefined> {
  let fd: number;
  try {
    // The error of a file that is not there takes ten times as long as this, and a miss looks for several.
    if (!statSync(path, { throwIfNoEntry: false })) return undefined;
    fd = openSync(path, 'r');
  } catch (error) {
    return ignoreNotFound(error);
  }
  try {
    const file = fstatSync(fd);
    return file.isFile() ? await use(fd, file) : undefined;
  } finally {
    closeSync(fd);
  }
}

function modifiedMsOf({ mtimeMs }: Stats): number {
  return Math.floor(mtimeMs);
}

/** Whether a plain `.json` file carries all of this. */
function isPlainRecord({ contentType, cacheControl, metadata }: ObjectInfo): boolean {
  return (
    contentType === 'application/json' && cacheControl === undefined && !Object.keys(metadata ?? {}).length
  );
}

function endsLikeTrailer({ buffer, byteOffset, length }: Uint8Array): boolean {
  return trailerBytes(Buffer.from(buffer, byteOffset, length)) !== undefined;
}

function storedInfoOf(body: Uint8Array, { contentType, cacheControl, metadata }: ObjectInfo): StoredInfo {
  return { contentType, cacheControl, metadata: { ...metadata }, etag: etagOf(body), bytes: body.length };
}

function etagOf(body: Uint8Array): string {
  return `"${md5(body)}"`;
}

function decodeInfo(key: string, file: Buffer, fileBytes: number): StoredInfo | undefined {
  const info = decodeTrailer(file, fileBytes);
  if (info || !isRecord(key)) return info;
  return storedInfoOf(file, { contentType: 'application/json' });
}

/**
 * Reads `bytes` from `position`; fewer when the file has become shorter. The memory is not from Node's shared pool, since the
 * memory cache would keep a whole block of that alive.
 */
async function readRange(fd: number, position: number, bytes: number): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  if (bytes === 0) return buffer;
  const bytesRead =
    bytes <= MAX_SYNC_READ_BYTES
      ? readSync(fd, buffer, 0, bytes, position)
      : (await readAsync(fd, buffer, 0, bytes, position)).bytesRead;
  return buffer.subarray(0, bytesRead);
}

async function readTail(fd: number, fileBytes: number, bytes: number): Promise<Buffer<ArrayBuffer>> {
  const wanted = Math.min(fileBytes, bytes);
  return await readRange(fd, fileBytes - wanted, wanted);
}
