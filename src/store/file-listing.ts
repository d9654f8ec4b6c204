import { type Dir, lstatSync, opendirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { unlessAbsent } from './absent.ts';
import { isObjectKey } from './object-key.ts';
import type { ListedObject } from './store.ts';
import type { TakeTurn } from './turns.ts';

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
  takeTurn: TakeTurn,
): AsyncGenerator<ListedObject, void, undefined> {
  for (const name of await namesIn(root, folder, takeTurn)) {
    const key = `${folder}/${name}`;
    if (name.endsWith('/')) {
      yield* listFiles(root, key.slice(0, -1), takeTurn);
      continue;
    }
    await takeTurn();
    const file = statsOf(join(root, key));
    if (file) yield { key, bytes: file.size, modifiedMs: Math.floor(file.mtimeMs) };
  }
}

/** The names in a folder, those of folders with a slash at the end: then the order of names is that of the keys. */
async function namesIn(root: string, folder: string, takeTurn: TakeTurn): Promise<string[]> {
  const names: string[] = [];
  const entries = openFolder(join(root, folder));
  if (!entries) return names;
  try {
    for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
      if (isObjectKey(`${folder}/${entry.name}`)) {
        names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
      }
      await takeTurn();
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
    return unlessAbsent(error);
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    // Somebody removed it, or its folder, since its name was read.
    return unlessAbsent(error);
  }
}
