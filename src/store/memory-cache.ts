import { type Stats, statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { StoredObject } from './store.ts';

/** Recently read objects, in memory. */
export interface MemoryCache {
  /** Returns the object of a key, if the file that it was read from is still there. */
  get(key: string): StoredObject | undefined;
  /**
   * Adds an object that was read from a file.
   *
   * @param file - the result of `fstat` on the file that was read
   */
  set(key: string, path: string, file: Stats, object: StoredObject): void;
}

interface Entry {
  path: string;
  file: Stats;
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
 * @param onHit - called with the file of each object that is found
 */
export function createMemoryCache(
  maxBytes: number,
  nowMs: () => number = Date.now,
  onHit: (path: string, file: Stats) => void = () => {},
): MemoryCache {
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ object }) => object.bytes + ENTRY_OVERHEAD_BYTES,
  });
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      const file = statsOf(entry.path);
      if (file && isSame(file, entry.file)) {
        onHit(entry.path, file);
        return entry.object;
      }
      entries.delete(key);
      return undefined;
    },
    set(key, path, file, object) {
      if (nowMs() - file.ctimeMs < CLOCK_STEP_MS) return;
      entries.set(key, { path, file, object });
    },
  };
}

/** Returns `undefined` also where the disk fails: whoever reads the file then gets its error. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Times are compared too, because file systems reuse the inode numbers of removed files. */
function isSame(file: Stats, other: Stats): boolean {
  return (
    file.ino === other.ino &&
    file.ctimeMs === other.ctimeMs &&
    file.mtimeMs === other.mtimeMs &&
    file.size === other.size
  );
}
