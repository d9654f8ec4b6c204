import { type Dir, lstatSync, opendirSync, rmdirSync, type Stats, unlink } from 'node:fs';
import { join, posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isObjectKey } from './object-validation.ts';
import type { ListedObject } from './store.ts';

/**
 * Lists the files below a folder by their keys, in the order of the keys' bytes. At a time it holds the names in one folder and
 * in those above it. What is no folder counts as a file, a link too: that is not followed, and can be removed. What has no
 * legal key is left out. A folder that is not there has nothing in it.
 *
 * @param folder - the key of a folder in `root`
 */
export async function* listFiles(
  root: string,
  folder: string,
  maybeYield: YieldToEventLoop,
): AsyncGenerator<ListedObject, void, undefined> {
  for (const name of await namesIn(root, folder, maybeYield)) {
    const key = `${folder}/${name}`;
    if (name.endsWith('/')) {
      yield* listFiles(root, key.slice(0, -1), maybeYield);
      continue;
    }
    await maybeYield();
    const file = statsOf(join(root, key));
    if (file) yield { key, bytes: file.size, modifiedMs: Math.floor(file.mtimeMs) };
  }
}

/** The names in a folder, those of folders with a slash at the end: then the order of names is that of the keys. */
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
  // Legal names are ASCII, so the order of UTF-16 is that of bytes.
  return names.sort();
}

function openFolder(path: string): Dir | undefined {
  try {
    return opendirSync(path);
  } catch (error) {
    return ignoreNotFound(error);
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    // Somebody removed it, or its folder, since its name was read.
    return ignoreNotFound(error);
  }
}

/** More at a time would only make the thread pool's other users wait for longer. */
const UNLINKS_AT_ONCE = 64;

const unlinkAsync = promisify(unlink);

/**
 * Removes files, as many as it can, and the folders in `root` that have become empty: names of units lie in them, and a purge
 * leaves nothing behind. A put may want such a folder at this moment: see `replace-file.ts`.
 *
 * @throws Error the first fault, when all has been tried
 */
export async function deleteFiles(
  root: string,
  keys: readonly string[],
  maybeYield: YieldToEventLoop,
): Promise<void> {
  const faults: unknown[] = [];
  for (let start = 0; start < keys.length; start += UNLINKS_AT_ONCE) {
    const some = keys.slice(start, start + UNLINKS_AT_ONCE);
    // Freeing a large file takes its time, so this goes to the thread pool.
    const unlinks = some.map((key) => unlinkAsync(join(root, key)).catch(ignoreNotFound));
    for (const result of await Promise.allSettled(unlinks)) {
      if (result.status === 'rejected') faults.push(result.reason);
    }
  }
  for (const folder of new Set(keys.map(posix.dirname))) {
    await maybeYield();
    removeWhileEmpty(root, folder);
  }
  if (faults.length > 0) throw faults[0];
}

/** Removes a folder and those above it, up to the first that is still in use. What cannot be removed is no harm, being empty. */
function removeWhileEmpty(root: string, folder: string): void {
  for (let left = folder; left !== '.'; left = posix.dirname(left)) {
    try {
      rmdirSync(join(root, left));
    } catch (error) {
      // Another delete may have been faster, and left what is above to us.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
    }
  }
}

/** Swallows the errors that mean "nothing there"; the rest are faults. */
export function ignoreNotFound(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
  throw error;
}

/** After so many steps, about a millisecond, others get their turn: a loop over many files would never let them. */
const STEPS_A_TURN = 64;

/** To be awaited at each step of what never waits by itself. */
export type YieldToEventLoop = () => Promise<void>;

/** Whoever shares one shares its turns, however short each one's loop. */
export function createYielder(): YieldToEventLoop {
  let steps = 0;
  return async () => {
    steps += 1;
    if (steps % STEPS_A_TURN === 0) await nextTurn();
  };
}
