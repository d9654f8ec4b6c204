import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freeingLater, ignoreNotFound } from './file-tree.ts';
import { withLockFile } from './lock-file.ts';

/**
 * How often to try a write whose folder is removed in the middle. Against three processes that remove it in a loop, 5 attempts
 * were too few for one put in a hundred.
 */
const MAX_ATTEMPTS = 20;

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

interface ReplaceOptions {
  /** The folder for temp files, on the file system of the target. It is created if it is missing, and so are the folders of the target. */
  tempFolder: string;
  /** Whether the file must survive a power cut once this returns: that waits for the disk, twice. */
  durable: boolean;
  /** What must hold right before the rename: otherwise the file is not written. */
  condition?: WriteCondition | undefined;
}

/** A condition, under a lock of all processes: what it was told of does not change until the file is renamed. */
export interface WriteCondition {
  lockFile: string;
  holds: () => boolean;
}

/**
 * Atomic write: writes a temp file and renames it to `path`. A reader sees the old file or the new one, whole, even if this process
 * is killed in the middle.
 *
 * @returns whether the file was written: `false` when the condition did not hold
 */
export async function replaceFile(
  path: string,
  parts: Uint8Array[],
  { tempFolder, durable, condition }: ReplaceOptions,
): Promise<boolean> {
  const folder = dirname(path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const tempFile = await writeTempFile(tempFolder, parts, durable);
      await removals.get(path);
      if (!moveFileIf(condition, tempFile, folder, path)) return false;
      if (durable) await flushFolder(folder);
      return true;
    } catch (error) {
      // A purge removes empty folders, also between our creating one and using it.
      if (errorCode(error) !== 'ENOENT' || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** Removals that the thread pool may not have done yet, by path. They never reject. */
const removals = new Map<string, Promise<unknown>>();

/**
 * Removes a file, if it is there, in the thread pool: a synchronous call may wait until what others write is on the disk. What this process
 * writes to the same path meanwhile waits, so that it is not what is removed.
 */
export async function removeFile(path: string): Promise<void> {
  const removing = unlink(path).catch(ignoreNotFound);
  removals.set(
    path,
    removing.catch(() => {}).finally(() => removals.delete(path)),
  );
  await removing;
}

async function writeTempFile(folder: string, parts: Uint8Array[], durable: boolean): Promise<string> {
  makeIfMissing(folder);
  const path = join(folder, tempFileName());
  const fd = openSync(path, 'wx');
  try {
    for (const part of parts) writeFileSync(fd, part);
    // Before the rename: otherwise a power cut could leave the new name on bytes that never reached the disk.
    if (durable) await fdatasyncAsync(fd);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return path;
}

/** Not its parent: where the root of the store is gone, such as a disk that is not mounted any more, nothing is to be stored in its place. */
function makeIfMissing(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Synchronous, so that nothing else in this process comes between the check and the rename. */
function moveFileIf(
  condition: WriteCondition | undefined,
  tempFile: string,
  folder: string,
  path: string,
): boolean {
  const move = () => {
    if (condition?.holds() === false) {
      rmSync(tempFile, { force: true });
      return false;
    }
    moveFile(tempFile, folder, path);
    return true;
  };
  return condition ? withLockFile(condition.lockFile, move) : move();
}

function moveFile(tempFile: string, folder: string, path: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    freeingLater(path, () => renameSync(tempFile, path));
  } catch (error) {
    rmSync(tempFile, { force: true });
    throw error;
  }
}

/** Writes a folder's entries to the disk, so that a rename into it survives a power cut. */
async function flushFolder(folder: string): Promise<void> {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch (error) {
    // A purge has already removed the new file and its folder.
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await fsyncAsync(fd);
  } catch (error) {
    // Some file systems cannot flush a folder.
    if (errorCode(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** No put takes this long, so an older temp file is abandoned, whatever its name says. */
const MAX_TEMP_FILE_AGE_MS = 3_600_000;
const TEMP_FILE_NAME = /^(?<host>.+)\.(?<pid>\d+)\.[0-9a-f-]{36}$/;
const HOST = hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'localhost';

/** Returns a new name for a temp file, which names the process that writes it: `{host}.{process id}.{random}`. */
function tempFileName(): string {
  return `${HOST}.${process.pid}.${randomUUID()}`;
}

/**
 * Removes abandoned temp files: those of processes of this host that have ended, and all that are older than an hour. It never
 * throws: a file that cannot be removed stays for the next sweep.
 */
export function sweepTempFiles(folder: string): void {
  for (const name of namesIn(folder)) {
    const owner = TEMP_FILE_NAME.exec(name)?.groups;
    if (owner === undefined) continue;
    const path = join(folder, name);
    try {
      const { mtimeMs } = statSync(path);
      const isAbandoned =
        Date.now() - mtimeMs > MAX_TEMP_FILE_AGE_MS ||
        (owner['host'] === HOST && !isAlive(Number(owner['pid']), mtimeMs));
      if (isAbandoned) rmSync(path, { force: true });
    } catch {
      // Its owner has just renamed or removed it, or we lack the permission.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is no folder before the first put. Any other fault will show at that put.
    return [];
  }
}

/** Whether the process that wrote a file at `mtimeMs` is still running. */
function isAlive(pid: number, mtimeMs: number): boolean {
  // In a container the service has the same process id after each restart: a file older than this process is from an earlier run.
  if (pid === process.pid) return mtimeMs >= Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Creates a folder and writes a probe file to it, so that a wrong configuration fails at the start and not at each put.
 *
 * @throws Error when it cannot be created, is not a folder, or cannot be written to
 */
export function makeWritableFolder(path: string): void {
  makeFolder(path);
  const probe = join(path, tempFileName());
  writeFileSync(probe, '');
  rmSync(probe);
}

/** Without `recursive: true`, which loops for ever where nothing can be created, such as in `/proc`. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}
