import { rmdirSync, unlink } from 'node:fs';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { unlessAbsent } from './absent.ts';
import type { TakeTurn } from './turns.ts';

/** More at a time would only make the thread pool's other users wait for longer. */
const UNLINKS_AT_ONCE = 64;

const unlinkAsync = promisify(unlink);

/**
 * Removes files, as many as it can, and the folders in `root` that have become empty: names of units lie in them, and a purge
 * leaves nothing behind. A put may want such a folder at this moment: see `replace-file.ts`.
 *
 * @throws Error the first fault, when all has been tried
 */
export async function deleteFiles(root: string, keys: readonly string[], takeTurn: TakeTurn): Promise<void> {
  const faults: unknown[] = [];
  for (let start = 0; start < keys.length; start += UNLINKS_AT_ONCE) {
    const some = keys.slice(start, start + UNLINKS_AT_ONCE);
    // Freeing a large file takes its time, so this goes to the thread pool.
    const unlinks = some.map((key) => unlinkAsync(join(root, key)).catch(unlessAbsent));
    for (const result of await Promise.allSettled(unlinks)) {
      if (result.status === 'rejected') faults.push(result.reason);
    }
  }
  for (const folder of new Set(keys.map(posix.dirname))) {
    await takeTurn();
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
