import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, read, readFileSync, readSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeWritableFolder, replaceFile, sweepTempFiles } from './atomic-write.ts';
import { createYielder, deleteFiles, ignoreNotFound, listFiles } from './file-tree.ts';
import { createMemoryCache } from './memory-cache.ts';
import { assertFolder, assertObjectInfo, assertObjectKey, TEMP_FOLDER } from './object-validation.ts';
import type { ObjectInfo, StoredInfo, VariantStore } from './store.ts';
import { decodeTrailer, encodeTrailer, trailerBytes, USUAL_TRAILER_BYTES } from './trailer.ts';

/*
 * Most calls here are the synchronous ones, on purpose. Encoding occupies the thread pool that asynchronous file calls wait
 * for: with as many encodes in flight as it has threads, a read that waits its turn twice took 250 ms, and a synchronous one
 * 0.6 ms. On pages that the system has cached a whole read of 70 KB is 17 µs, less than the main thread spends on asking the
 * pool for it. What can really take its time, a flush or a large read, does go to the pool.
 */

/** Above this a read goes to the thread pool: from a cold disk it would hold everything else up for longer than that costs. */
const MAX_SYNC_READ_BYTES = 1_048_576;

/** What of the last objects read stays in memory. */
const HOT_BYTES = 64 * 1_048_576;

const readAsync = promisify(read);

export interface FileStoreOptions {
  /** The folder, made where it is missing. On a local disk: a network share that hangs would hang the process. */
  root: string;
}

/**
 * A store in a folder: one file an object, at its key. The body comes first and what else is known follows it (see
 * `trailer.ts`), so a variant opens in any image viewer and its metadata can never be that of other bytes. A `.json` object of
 * which nothing else is known is a plain file. What is no whole object (cut short, damaged, or put there by hand) counts as
 * a miss. So pictures need not wait for the disk, since a power cut can only make them be made again; all else does wait.
 *
 * Throws when the folder cannot be made or written to.
 *
 * A key cannot be a folder of another: `a` and `a/b` exclude each other here, though not in S3.
 */
export function createFileStore({ root }: FileStoreOptions): VariantStore {
  const base = resolve(root);
  const tempFolder = join(base, TEMP_FOLDER);
  makeWritableFolder(tempFolder);
  sweepTempFiles(tempFolder);
  const pathOf = (key: string): string => {
    assertObjectKey(key);
    return join(base, key);
  };
  const maybeYield = createYielder();
  const withObject = async <T>(path: string, use: UseFile<T>): Promise<T | undefined> => {
    await maybeYield();
    return await withFile(path, use);
  };
  const hot = createMemoryCache(HOT_BYTES);
  const readObject = async (key: string, path: string, fd: number, file: Stats) => {
    const bytes = await readRange(fd, 0, file.size);
    const info = describeFile(key, bytes, file.size);
    if (!info) return undefined;
    const body = new Uint8Array(bytes.buffer, bytes.byteOffset, info.bytes);
    if (etagOf(body) !== info.etag) return undefined;
    const object = { ...info, body };
    // Records are read once and in thousands, by whoever works through a queue of them.
    if (!isRecord(key)) hot.keep(path, file, object);
    return object;
  };

  async function write(
    key: string,
    body: Uint8Array,
    info: ObjectInfo,
    onlyIf?: () => boolean,
  ): Promise<{ etag: string } | undefined> {
    const path = pathOf(key);
    assertObjectInfo(info);
    const stored = describeBody(body, info);
    const plain = isRecord(key) && saysNothingMore(info) && !endsLikeTrailer(body);
    // A picture can be made again; that a unit was purged cannot.
    const durable = !info.contentType.startsWith('image/');
    // What does not wait for the disk would let whoever puts in a loop keep everyone else waiting.
    if (!durable) await nextTurn();
    const parts = plain ? [body] : [body, encodeTrailer(stored)];
    const isThere = await replaceFile(path, parts, { tempFolder, durable, ...(onlyIf && { onlyIf }) });
    return isThere ? { etag: stored.etag } : undefined;
  }

  return {
    async get(key) {
      const path = pathOf(key);
      return hot.get(path) ?? (await withObject(path, (fd, file) => readObject(key, path, fd, file)));
    },

    async head(key) {
      return await withObject(pathOf(key), async (fd, { size: fileBytes }) => {
        const tail = await readTail(fd, fileBytes, USUAL_TRAILER_BYTES);
        const claimed = trailerBytes(tail) ?? 0;
        const whole = claimed > tail.length ? await readTail(fd, fileBytes, claimed) : tail;
        const info = decodeTrailer(whole, fileBytes);
        if (info || !isRecord(key)) return info;
        return describeFile(key, await readRange(fd, 0, fileBytes), fileBytes);
      });
    },

    put: async (key, body, info) => (await write(key, body, info)) as { etag: string },

    async replace(key, etag, body, info) {
      const path = pathOf(key);
      // Another process may come between the look and the move, which is as short as a call of the system.
      return await write(key, body, info, () => etagAt(key, path) === etag);
    },

    async delete(keys) {
      keys.forEach(assertObjectKey);
      await deleteFiles(base, keys, maybeYield);
    },

    async *list(folder) {
      assertFolder(folder);
      yield* listFiles(base, folder, maybeYield);
    },
  };
}

/** The ETag of what is there now; `undefined`: no whole object. */
function etagAt(key: string, path: string): string | undefined {
  try {
    const file = readFileSync(path);
    return describeFile(key, file, file.byteLength)?.etag;
  } catch (error) {
    return ignoreNotFound(error);
  }
}

function isRecord(key: string): boolean {
  return key.endsWith('.json');
}

/** Whether a plain file called `.json` says all of it. */
function saysNothingMore({ contentType, cacheControl, metadata }: ObjectInfo): boolean {
  return (
    contentType === 'application/json' && cacheControl === undefined && !Object.keys(metadata ?? {}).length
  );
}

/** A plain file that did would be read as if it had one. */
function endsLikeTrailer({ buffer, byteOffset, length }: Uint8Array): boolean {
  return trailerBytes(Buffer.from(buffer, byteOffset, length)) !== undefined;
}

function describeBody(body: Uint8Array, { contentType, cacheControl, metadata }: ObjectInfo): StoredInfo {
  const etag = etagOf(body);
  return { contentType, cacheControl, metadata: { ...metadata }, etag, bytes: body.length };
}

function etagOf(body: Uint8Array): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function describeFile(key: string, file: Buffer, fileBytes: number): StoredInfo | undefined {
  const info = decodeTrailer(file, fileBytes);
  if (info || !isRecord(key)) return info;
  return describeBody(file, { contentType: 'application/json' });
}

type UseFile<T> = (fd: number, file: Stats) => Promise<T | undefined>;

/** Hands `use` an open file and what the system says of it; `undefined` when there is no such file. */
async function withFile<T>(path: string, use: UseFile<T>): Promise<T | undefined> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return ignoreNotFound(error);
  }
  try {
    const stats = fstatSync(fd);
    return stats.isFile() ? await use(fd, stats) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Reads `bytes` from `position`; fewer when the file has become shorter. Memory of its own, not of Node's shared pool. */
async function readRange(fd: number, position: number, bytes: number): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  if (bytes === 0) return buffer;
  const got =
    bytes <= MAX_SYNC_READ_BYTES
      ? readSync(fd, buffer, 0, bytes, position)
      : (await readAsync(fd, buffer, 0, bytes, position)).bytesRead;
  return buffer.subarray(0, got);
}

async function readTail(fd: number, fileBytes: number, bytes: number): Promise<Buffer<ArrayBuffer>> {
  const wanted = Math.min(fileBytes, bytes);
  return await readRange(fd, fileBytes - wanted, wanted);
}
