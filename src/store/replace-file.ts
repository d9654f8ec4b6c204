import { closeSync, fdatasync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryName } from './temporaries.ts';

/**
 * How often to start over when a folder is removed under the write. Against three processes that remove it in a loop, 5 were too
 * few for one put in a hundred.
 */
const ATTEMPTS = 20;

const flushBytes = promisify(fdatasync);
const flushFolder = promisify(fsync);

interface ReplaceOptions {
  temporaries: string;
  durable: boolean;
  onlyIf?: () => boolean;
}

/**
 * Puts a file of these parts at `path`, in place of what was there. A reader sees the old file or the new one, whole, whenever
 * this process is killed.
 *
 * @param onlyIf - looks whether it still may be put there, at the last moment; by default it may
 * @param durable - whether a power cut must not take the new file back once this returns: that waits for the disk, twice
 * @param temporaries - the folder for what is not whole yet, on the file system of `path`; both are made where they are missing
 * @returns whether it is there
 */
export async function replaceFile(
  path: string,
  parts: Uint8Array[],
  { temporaries, durable, onlyIf = () => true }: ReplaceOptions,
): Promise<boolean> {
  const folder = dirname(path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const temporary = await writeTemporary(temporaries, parts, durable);
      // No other turn of this process comes between the look and the move.
      if (!onlyIf()) {
        rmSync(temporary, { force: true });
        return false;
      }
      moveInto(folder, temporary, path);
      if (durable) await flushNames(folder);
      return true;
    } catch (error) {
      // A purge removes folders that have become empty, also between our making one and using it.
      if (errorCode(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

async function writeTemporary(folder: string, parts: Uint8Array[], durable: boolean): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, temporaryName());
  const fd = openSync(path, 'wx');
  try {
    for (const part of parts) writeFileSync(fd, part);
    // Before the rename, or a power cut could leave the new name on bytes that never reached the disk.
    if (durable) await flushBytes(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}

function moveInto(folder: string, temporary: string, path: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function flushNames(folder: string): Promise<void> {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch (error) {
    // A purge was here already, and took what we put.
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await flushFolder(fd);
  } catch (error) {
    // Some file systems flush no folders.
    if (errorCode(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
