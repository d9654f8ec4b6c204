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
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * How often to start over when a folder is removed under the write. Against three processes that remove it in a loop, 5 were too
 * few for one put in a hundred.
 */
const ATTEMPTS = 20;

const flushBytes = promisify(fdatasync);
const flushFolder = promisify(fsync);

interface ReplaceOptions {
  tempFolder: string;
  durable: boolean;
  onlyIf?: () => boolean;
}

/**
 * Puts a file of these parts at `path`, in place of what was there. A reader sees the old file or the new one, whole, whenever
 * this process is killed.
 *
 * @param onlyIf - looks whether it still may be put there, at the last moment; by default it may
 * @param durable - whether a power cut must not take the new file back once this returns: that waits for the disk, twice
 * @param tempFolder - the folder for what is not whole yet, on the file system of `path`; both are made where they are missing
 * @returns whether it is there
 */
export async function replaceFile(
  path: string,
  parts: Uint8Array[],
  { tempFolder, durable, onlyIf = () => true }: ReplaceOptions,
): Promise<boolean> {
  const folder = dirname(path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const temporary = await writeTemporary(tempFolder, parts, durable);
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
  const path = join(folder, tempFileName());
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

/** No put takes this long, so what is older belongs to nobody, whatever its name says. */
const MAX_AGE_MS = 3_600_000;
const NAME = /^(?<host>.+)\.(?<pid>\d+)\.[0-9a-f-]{36}$/;
const HOST = hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'localhost';

/** A name for a temporary file that says who writes it: `{host}.{process}.{random}`. */
export function tempFileName(): string {
  return `${HOST}.${process.pid}.${randomUUID()}`;
}

/**
 * Removes the temporary files that nobody is going to finish: those of processes of this host that are no more, and any that is
 * older than an hour. What cannot be removed stays for the next sweep: litter is no reason not to serve.
 */
export function sweepTempFiles(folder: string): void {
  for (const name of namesIn(folder)) {
    const owner = NAME.exec(name)?.groups;
    if (owner === undefined) continue;
    const path = join(folder, name);
    try {
      const { mtimeMs } = statSync(path);
      const abandoned =
        Date.now() - mtimeMs > MAX_AGE_MS ||
        (owner['host'] === HOST && !isAlive(Number(owner['pid']), mtimeMs));
      if (abandoned) rmSync(path, { force: true });
    } catch {
      // Its owner was faster, or it is not ours to touch.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there before the first put. What is wrong otherwise, that put will say.
    return [];
  }
}

/** Whether the process that wrote a file at `mtimeMs` still runs. */
function isAlive(pid: number, mtimeMs: number): boolean {
  // In a container every life of the service has the same number: what is older than this life is of an earlier one.
  if (pid === process.pid) return mtimeMs >= Date.now() - process.uptime() * 1000;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Makes a folder, and sees that it can be written to: better to say so at the start than at each put.
 *
 * @throws Error when it cannot be made, is no folder, or cannot be written to
 */
export function makeWritableFolder(path: string): void {
  makeFolder(path);
  const probe = join(path, tempFileName());
  writeFileSync(probe, '');
  rmSync(probe);
}

/** Not with `recursive: true`, which goes round in circles where nothing can be made, such as in `/proc`. */
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
