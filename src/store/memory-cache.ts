import { type Stats, statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { StoredObject } from './store.ts';

/** Recently read objects, in memory, by the path of their file. */
export interface MemoryCache {
  /** Returns the object that was read from this path, if the same file is still there. */
  get(path: string): StoredObject | undefined;
  /**
   * Adds an object that was read from a file.
   *
   * @param file - the result of `fstat` on the file that was read
   */
  set(path: string, file: Stats, object: StoredObject): void;
}

interface Entry {
  identity: string;
  object: StoredObject;
}

/**
 * A file that was written so recently may still be replaced by another with the same time: the clock of a file system advances
 * in steps, of 4 ms on many kernels.
 */
const CLOCK_STEP_MS = 50;

/** What an entry is counted for beside its body: metadata and bookkeeping. */
const ENTRY_OVERHEAD_BYTES = 1024;

/**
 * An LRU cache of objects in files, since reading a file costs several times what sending it does. A hit is never stale: each one
 * stats the file, and after a replacement or removal, by any process, another file or none is there.
 *
 * @param maxBytes - the limit on the bodies of all objects together
 * @param nowMs - Unix milliseconds, by the clock that sets the times of files
 */
export function createMemoryCache(maxBytes: number, nowMs: () => number = Date.now): MemoryCache {
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ object }) => object.bytes + ENTRY_OVERHEAD_BYTES,
  });
  return {
    get(path) {
      const entry = entries.get(path);
      if (!entry) return undefined;
      const file = statSync(path, { throwIfNoEntry: false });
      if (file && identityOf(file) === entry.identity) return entry.object;
      entries.delete(path);
      return undefined;
    },
    set(path, file, object) {
      if (nowMs() - file.ctimeMs < CLOCK_STEP_MS) return;
      entries.set(path, { identity: identityOf(file), object });
    },
  };
}

/** Times are part of it because file systems reuse the inode numbers of removed files. */
function identityOf({ ino, ctimeMs, mtimeMs, size }: Stats): string {
  return `${ino} ${ctimeMs} ${mtimeMs} ${size}`;
}
