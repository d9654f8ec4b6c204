import { accessSync, constants, type Stats, statSync, unlinkSync, utimesSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { md5 } from '../hashing.ts';
import { TOMBSTONE_PREFIX } from '../protocol/keys.ts';
import { makeWritableFolder, replaceFile, sweepTempFiles, type WriteCondition } from './atomic-write.ts';
import { createFileJournal, type FileJournal } from './file-journal.ts';
import { createFileUpkeep, type FileLimits } from './file-limits.ts';
import {
  createYielder,
  deleteFiles,
  freeingLater,
  ignoreNotFound,
  listFiles,
  removeEmptyFolders,
} from './file-tree.ts';
import { bytesOf, placeOf, USE_STEP_MS, usedMsOf } from './file-walk.ts';
import { withLockFile } from './lock-file.ts';
import { createMemoryCache, type MemoryCache } from './memory-cache.ts';
import { encodeObjectFile, hasEtag, isRecord, readInfo, readObject, withFile } from './object-file.ts';
import { createSpaceReserve, type SpaceReserve } from './space-reserve.ts';
import {
  assertFolder,
  assertObjectInfo,
  assertObjectKey,
  isOutOfSpace,
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

export interface FileStoreOptions extends FileLimits {
  /** The folder, created if it is missing. On a local disk: a network share that hangs would hang the process. */
  root: string;
  /** How many processes of this server divide the memory for recently read objects between them. Default: 1. */
  processes?: number;
}

/** In the folder for temp files. */
const JOURNAL_NAME = 'changes';
const RESERVE_NAME = 'reserve';

/**
 * A store in a folder: one file for each object, at its key. An image can be made again, so its put does not wait for the disk; a
 * power cut may lose it. Everything else, such as a manifest or a tombstone, is on the disk when its put returns.
 *
 * A key cannot be a folder of another: `a` and `a/b` exclude each other here, though not in S3. Between processes, the check of
 * `replace` and `deleteIfMatch` and the change that follows are under a lock; a `put` or a `delete` of another process may come in between.
 *
 * @throws Error when the folder cannot be created or written to
 */
export function createFileStore({ root, processes = 1, ...limits }: FileStoreOptions): VariantStore {
  const base = resolve(root);
  const tempFolder = join(base, TEMP_FOLDER);
  makeWritableFolder(tempFolder);
  sweepTempFiles(tempFolder);
  const maybeYield = createYielder();
  const hasLimits = limits.maxBytes !== undefined || limits.maxAgeMs !== undefined;
  const onUse = hasLimits ? noteUse : () => {};
  const cacheBytes = Math.max(MIN_MEMORY_CACHE_BYTES, MEMORY_CACHE_BYTES / processes);
  const cache = createMemoryCache(cacheBytes, Date.now, onUse);
  const journal = createFileJournal(join(tempFolder, JOURNAL_NAME));
  const reserve = createSpaceReserve(join(tempFolder, RESERVE_NAME));
  reserve.fill();
  const write = createWriter({ tempFolder, journal, reserve });
  const noteRemoved = (key: string, { size, blocks }: Stats) =>
    journal.note(placeOf(key), -1, -bytesOf({ size, blocks }));

  function pathOf(key: string): string {
    assertObjectKey(key);
    return join(base, key);
  }

  const lockFileOf = (key: string) => join(tempFolder, `lock.${md5(Buffer.from(key))}`);

  return {
    peek: (key) => cache.get(key),

    async get(key) {
      const path = pathOf(key);
      const cached = cache.get(key);
      if (cached) return cached;
      await maybeYield();
      return await readThrough(cache, key, path, onUse);
    },

    async head(key) {
      const path = pathOf(key);
      await maybeYield();
      return await withFile(path, (fd, file) => readInfo(key, fd, file));
    },

    put: async (key, body, info) => (await write(key, pathOf(key), body, info)) as { etag: string },

    async replace(key, etag, body, info) {
      const path = pathOf(key);
      const holds = () => hasEtag(key, path, etag);
      return await write(key, path, body, info, { lockFile: lockFileOf(key), holds });
    },

    async delete(keys) {
      keys.forEach(assertObjectKey);
      await deleteFiles(base, keys, maybeYield, noteRemoved);
    },

    async deleteIfMatch(key, etag) {
      const path = pathOf(key);
      await maybeYield();
      const isRemoved = withLockFile(lockFileOf(key), () => {
        if (!hasEtag(key, path, etag)) return false;
        try {
          const file = statSync(path);
          freeingLater(path, () => unlinkSync(path));
          noteRemoved(key, file);
        } catch (error) {
          ignoreNotFound(error);
        }
        return true;
      });
      if (!isRemoved) return;
      removeEmptyFolders(base, posix.dirname(key));
    },

    async *list(folder, after) {
      assertFolder(folder);
      yield* listFiles(base, folder, maybeYield, after);
    },

    // The folder itself: a put would make it anew, empty, where a disk should be.
    assertWritable: () => accessSync(base, constants.W_OK | constants.X_OK),

    upkeep: createFileUpkeep({ root: base, journal, onTick: reserve.fill, ...limits }),
  };
}

/**
 * Notes that a file is used, once a day at most: file systems note reads themselves, but not those from our memory, and not where they are
 * mounted with `noatime`.
 */
function noteUse(path: string, file: Stats): void {
  const nowMs = Date.now();
  if (nowMs - usedMsOf(file) < USE_STEP_MS) return;
  try {
    utimesSync(path, nowMs / 1000, file.mtimeMs / 1000);
  } catch {
    // Another user's file, or just removed.
  }
}

async function readThrough(
  cache: MemoryCache,
  key: string,
  path: string,
  onUse: (path: string, file: Stats) => void,
): Promise<StoredObject | undefined> {
  return await withFile(path, async (fd, file) => {
    onUse(path, file);
    const object = await readObject(key, fd, file);
    // Records are read once each, by the thousand, when a queue is processed: they would only displace variants.
    if (object && !isRecord(key)) cache.set(key, path, file, object);
    return object;
  });
}

interface WriterOptions {
  tempFolder: string;
  journal: FileJournal;
  reserve: SpaceReserve;
}

/** Returns the function that writes an object; its result is `undefined` when the condition did not hold. */
function createWriter({ tempFolder, journal, reserve }: WriterOptions) {
  return async (
    key: string,
    path: string,
    body: Uint8Array,
    info: ObjectInfo,
    condition?: WriteCondition,
  ): Promise<{ etag: string } | undefined> => {
    assertObjectInfo(info);
    const { parts, etag } = encodeObjectFile(key, body, info);
    const durable = !info.contentType.startsWith('image/');
    // A put that does not wait for the disk never yields by itself, so a caller that puts in a loop would block all others.
    if (!durable) await nextTurn();
    const before = statSync(path, { throwIfNoEntry: false });
    const replace = () => replaceFile(path, parts, { tempFolder, durable, condition });
    const isStored = await replace().catch(async (error: unknown) => {
      if (!isOutOfSpace(error) || !key.startsWith(`${TOMBSTONE_PREFIX}/`)) throw error;
      reserve.release();
      return await replace();
    });
    if (!isStored) return undefined;
    const bytes = roundUpToBlocks(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
    journal.note(placeOf(key), before ? 0 : 1, bytes - (before ? bytesOf(before) : 0));
    return { etag };
  };
}

/** Returns about what a file of this length takes on the disk. */
function roundUpToBlocks(bytes: number): number {
  const BLOCK_BYTES = 4096;
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
