import { unlinkSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeWritableFolder, replaceFile, sweepTempFiles } from './atomic-write.ts';
import { createYielder, deleteFiles, ignoreNotFound, listFiles, removeEmptyFolders } from './file-tree.ts';
import { createMemoryCache, type MemoryCache } from './memory-cache.ts';
import { encodeObjectFile, hasEtag, isRecord, readInfo, readObject, withFile } from './object-file.ts';
import {
  assertFolder,
  assertObjectInfo,
  assertObjectKey,
  type ObjectInfo,
  type StoredObject,
  TEMP_FOLDER,
  type VariantStore,
} from './store.ts';

/*
 * Most file calls here are the synchronous ones, on purpose. Encoding occupies the thread pool that asynchronous file calls wait
 * for: with as many encodes in flight as it has threads, an asynchronous read took 250 ms, and a synchronous one 0.6 ms. When the
 * system has cached the file, a whole read of 70 KB takes 17 µs, less than the main thread needs to hand it to the pool. Only
 * what can be slow, a flush or a large read, goes to the pool.
 */

const MEMORY_CACHE_BYTES = 64 * 1_048_576;
/** What each of many processes keeps at least. */
const MIN_MEMORY_CACHE_BYTES = 16 * 1_048_576;

export interface FileStoreOptions {
  /** The folder, created if it is missing. On a local disk: a network share that hangs would hang the process. */
  root: string;
  /** How many processes of this server divide the memory for recently read objects between them. Default: 1. */
  processes?: number;
}

/**
 * A store in a folder: one file for each object, at its key. An image can be made again, so its put does not wait for the disk; a
 * power cut may lose it. Everything else, such as a manifest or a tombstone, is on the disk when its put returns.
 *
 * A key cannot be a folder of another: `a` and `a/b` exclude each other here, though not in S3. Between processes, the check of
 * `replace` and `deleteIfMatch` and the change that follows are two system calls, with nothing in between.
 *
 * @throws Error when the folder cannot be created or written to
 */
export function createFileStore({ root, processes = 1 }: FileStoreOptions): VariantStore {
  const base = resolve(root);
  const tempFolder = join(base, TEMP_FOLDER);
  makeWritableFolder(tempFolder);
  sweepTempFiles(tempFolder);
  const maybeYield = createYielder();
  const cache = createMemoryCache(Math.max(MIN_MEMORY_CACHE_BYTES, MEMORY_CACHE_BYTES / processes));
  const write = createWriter(tempFolder);

  function pathOf(key: string): string {
    assertObjectKey(key);
    return join(base, key);
  }

  return {
    peek: (key) => cache.get(key),

    async get(key) {
      const path = pathOf(key);
      const cached = cache.get(key);
      if (cached) return cached;
      await maybeYield();
      return await readThrough(cache, key, path);
    },

    async head(key) {
      const path = pathOf(key);
      await maybeYield();
      return await withFile(path, (fd, file) => readInfo(key, fd, file));
    },

    put: async (key, body, info) => (await write(key, pathOf(key), body, info)) as { etag: string },

    async replace(key, etag, body, info) {
      const path = pathOf(key);
      return await write(key, path, body, info, () => hasEtag(key, path, etag));
    },

    async delete(keys) {
      keys.forEach(assertObjectKey);
      await deleteFiles(base, keys, maybeYield);
    },

    async deleteIfMatch(key, etag) {
      const path = pathOf(key);
      await maybeYield();
      if (!hasEtag(key, path, etag)) return;
      try {
        unlinkSync(path);
      } catch (error) {
        ignoreNotFound(error);
      }
      removeEmptyFolders(base, posix.dirname(key));
    },

    async *list(folder) {
      assertFolder(folder);
      yield* listFiles(base, folder, maybeYield);
    },
  };
}

async function readThrough(cache: MemoryCache, key: string, path: string): Promise<StoredObject | undefined> {
  return await withFile(path, async (fd, file) => {
    const object = await readObject(key, fd, file);
    // Records are read once each, by the thousand, when a queue is processed: they would only displace variants.
    if (object && !isRecord(key)) cache.set(key, path, file, object);
    return object;
  });
}

/** Returns the function that writes an object; its result is `undefined` when `onlyIf` returned `false`. */
function createWriter(tempFolder: string) {
  return async (
    key: string,
    path: string,
    body: Uint8Array,
    info: ObjectInfo,
    onlyIf?: () => boolean,
  ): Promise<{ etag: string } | undefined> => {
    assertObjectInfo(info);
    const { parts, etag } = encodeObjectFile(key, body, info);
    const durable = !info.contentType.startsWith('image/');
    // A put that does not wait for the disk never yields by itself, so a caller that puts in a loop would block all others.
    if (!durable) await nextTurn();
    const isStored = await replaceFile(path, parts, { tempFolder, durable, ...(onlyIf && { onlyIf }) });
    return isStored ? { etag } : undefined;
  };
}
