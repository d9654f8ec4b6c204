import { type Stats, statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { StoredObject } from './store.ts';

/** Objects that were read lately, still in memory. */
export interface MemoryCache {
  /** The object that was read from this file, if the file is still the same one. */
  get(path: string): StoredObject | undefined;
  /** Keeps what was read from a file, as `fstat` described it then. */
  keep(path: string, file: Stats, object: StoredObject): void;
}

interface Kept {
  identity: string;
  object: StoredObject;
}

/**
 * What was written so lately may be replaced by another file with the same time: the clocks of file systems go in steps,
 * of 4 ms on many kernels.
 */
const CLOCK_STEP_MS = 50;

/**
 * Keeps the objects that are asked for most, since reading a file costs several times what sending it does. It never
 * answers with what is no longer there: each time the file is looked at, and whoever replaces or removes an object, in
 * whatever process, leaves another file or none.
 *
 * @param maxBytes - of bodies, all together
 * @param nowMs - Unix milliseconds, by the clock that files are stamped with
 */
export function createMemoryCache(maxBytes: number, nowMs: () => number = Date.now): MemoryCache {
  const kept = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: ({ object }) => object.bytes + 1024,
  });
  return {
    get(path) {
      const found = kept.get(path);
      if (!found) return undefined;
      const file = statSync(path, { throwIfNoEntry: false });
      if (file && identityOf(file) === found.identity) return found.object;
      kept.delete(path);
      return undefined;
    },
    keep(path, file, object) {
      if (nowMs() - file.ctimeMs < CLOCK_STEP_MS) return;
      kept.set(path, { identity: identityOf(file), object });
    },
  };
}

/** A file that is renamed into place has a time of its own, if not always an inode: those of removed files are used again. */
function identityOf({ ino, ctimeMs, mtimeMs, size }: Stats): string {
  return `${ino} ${ctimeMs} ${mtimeMs} ${size}`;
}
