import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, linkSync, openSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';

/** A process holds a lock for two system calls. What is older was left by one that was killed between them. */
const MAX_AGE_MS = 1000;
const WAIT_MS = 1;

/**
 * Does work that no other process does at the same time under a lock of the same path. It blocks the thread meanwhile, and for a second at most
 * if the last holder was killed. Where no file can be created, or one that was left cannot be removed, the work is done without the lock: a full
 * disk must not keep anything from being removed.
 */
export function withLockFile<T>(path: string, work: () => T): T {
  const inode = lock(path);
  try {
    return work();
  } finally {
    // Whoever took longer than a lock may be held has lost it to another.
    if (inode !== undefined && inodeOf(path) === inode) rmSync(path, { force: true });
  }
}

/** Returns the inode of the file that was created. */
function lock(path: string): number | undefined {
  let seen: { file: Stats; sinceMs: number } | undefined;
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      const { ino } = fstatSync(file);
      closeSync(file);
      return ino;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return undefined;
    }
    const file = statSync(path, { throwIfNoEntry: false });
    if (!file) continue;
    // A file system may give the inode of the last holder's file to that of the next one.
    if (seen?.file.ino !== file.ino || seen.file.mtimeMs !== file.mtimeMs)
      seen = { file, sinceMs: performance.now() };
    // Both, since the clock of another machine, or of this one, may be wrong.
    const ageMs = Math.max(Date.now() - file.mtimeMs, performance.now() - seen.sinceMs);
    if (ageMs <= MAX_AGE_MS) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    else if (!removeStale(path, file.ino)) return undefined;
  }
}

/** Removes a lock that was left. Another process may have done so, and hold the lock now: that one is put back. Returns whether this works here. */
function removeStale(path: string, inode: number): boolean {
  const moved = `${path}.${randomUUID()}`;
  try {
    renameSync(path, moved);
    if (inodeOf(moved) !== inode) linkSync(moved, path);
    rmSync(moved, { force: true });
    return true;
  } catch (error) {
    rmSync(moved, { force: true });
    // Somebody else was faster.
    return ['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
