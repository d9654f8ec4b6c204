import {
  close,
  constants,
  type Dir,
  lstatSync,
  opendirSync,
  openSync,
  rmdirSync,
  type Stats,
  statSync,
  unlink,
} from 'node:fs';
import { join, posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isObjectKey, type ListedObject } from './store.ts';

/**
 * Lists the files below a folder by their keys, in the order of the keys' bytes. It holds the names of one folder and of its
 * parents in memory. Everything that is not a folder counts as a file, symbolic links too: they are not followed, and can be
 * deleted. Names that make no valid key are left out. A missing folder is empty.
 *
 * @param folder - the key of a folder in `root`
 * @param after - only keys after this one are listed, and folders that have none are not read. Default: all keys
 */
export async function* listFiles(
  root: string,
  folder: string,
  maybeYield: YieldToEventLoop,
  after = '',
): AsyncGenerator<ListedObject, void, undefined> {
  for (const name of await namesIn(root, folder, maybeYield)) {
    const key = `${folder}/${name}`;
    if (name.endsWith('/')) {
      if (key > after || after.startsWith(key)) yield* listFiles(root, key.slice(0, -1), maybeYield, after);
      continue;
    }
    if (key <= after) continue;
    await maybeYield();
    const file = statsOf(join(root, key));
    if (file) yield { key, bytes: file.size, modifiedMs: Math.floor(file.mtimeMs) };
  }
}

/** The sorted names in a folder. Those of folders end in a slash, so that the order of names is the order of keys. */
async function namesIn(root: string, folder: string, maybeYield: YieldToEventLoop): Promise<string[]> {
  const names: string[] = [];
  const entries = openFolder(join(root, folder));
  if (!entries) return names;
  try {
    for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
      if (isObjectKey(`${folder}/${entry.name}`)) {
        names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
      }
      await maybeYield();
    }
  } finally {
    entries.closeSync();
  }
  // Valid names are ASCII, so the order of UTF-16 units is the order of bytes.
  return names.sort();
}

/** Opens a folder; returns `undefined` if it is not there. */
function openFolder(path: string): Dir | undefined {
  try {
    return opendirSync(path);
  } catch (error) {
    return ignoreNotFound(error);
  }
}

/** Returns what the file system knows of a file; `undefined` if it is not there. */
export function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    // The file or its folder was removed after its name was read.
    return ignoreNotFound(error);
  }
}

/**
 * Runs a synchronous change that takes a file's name away, if there is the file. What it has on the disk is freed later by the thread pool: where
 * the disk is told of that at once (mounted with `discard`), it takes up to 300 ms.
 */
export function freeingLater<T>(path: string, change: () => T): T {
  const old = openIfThere(path);
  try {
    return change();
  } finally {
    // The last one to close it frees it.
    if (old !== undefined) close(old, () => {});
  }
}

function openIfThere(path: string): number | undefined {
  try {
    if (!statSync(path, { throwIfNoEntry: false })) return undefined;
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Then the change takes as long as it takes, or fails with an error of its own.
    return undefined;
  }
}

/** More in parallel would only make other users of the thread pool wait longer. */
const UNLINK_CONCURRENCY = 64;

const unlinkAsync = promisify(unlink);

/**
 * Removes files, and the folders in `root` that become empty: folders are named after units, and a purge leaves nothing of a unit
 * behind. It tries all files even if some fail. A concurrent put may need such a folder: see `atomic-write.ts`.
 *
 * @throws Error the first fault, after all files have been tried
 */
export async function deleteFiles(
  root: string,
  keys: readonly string[],
  maybeYield: YieldToEventLoop,
  onDelete: (key: string, file: Stats) => void = () => {},
): Promise<void> {
  const errors: unknown[] = [];
  for (let start = 0; start < keys.length; start += UNLINK_CONCURRENCY) {
    const batch = keys.slice(start, start + UNLINK_CONCURRENCY);
    // Asynchronous, since freeing a large file is slow.
    const unlinks = batch.map(async (key) => {
      const file = statsOf(join(root, key));
      await unlinkAsync(join(root, key)).catch(ignoreNotFound);
      if (file) onDelete(key, file);
    });
    for (const result of await Promise.allSettled(unlinks)) {
      if (result.status === 'rejected') errors.push(result.reason);
    }
  }
  for (const folder of new Set(keys.map(posix.dirname))) {
    await maybeYield();
    removeEmptyFolders(root, folder);
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Removes a folder in `root` and its parents, up to the first that is not empty. An empty folder that cannot be removed does no
 * harm.
 */
export function removeEmptyFolders(root: string, folder: string): void {
  for (let path = folder; path !== '.'; path = posix.dirname(path)) {
    try {
      rmdirSync(join(root, path));
    } catch (error) {
      // A concurrent delete may have removed this folder but not yet its parents.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
    }
  }
}

/** Returns `undefined` for an error that means "there is no such file", and throws any other. */
export function ignoreNotFound(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
  throw error;
}

/** About a millisecond of work. */
const STEPS_BETWEEN_YIELDS = 64;

/** Awaited at each step of a loop of synchronous file calls, which would otherwise block the event loop. */
export type YieldToEventLoop = () => Promise<void>;

/** Returns a function that yields to the event loop at every 64th call, counted over all loops that share it. */
export function createYielder(): YieldToEventLoop {
  let steps = 0;
  return async () => {
    steps += 1;
    if (steps % STEPS_BETWEEN_YIELDS === 0) await nextTurn();
  };
}
