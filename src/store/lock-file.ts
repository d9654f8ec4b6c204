import { closeSync, openSync, rmSync, statSync } from 'node:fs';

/** A process holds a lock for two system calls. What is older was left by one that was killed between them. */
const MAX_AGE_MS = 1000;
const WAIT_MS = 1;

/**
 * Does work that no other process does at the same time under a lock of the same path. It blocks the thread meanwhile, and for a second if
 * the last holder was killed. Where no file can be created, the work is done without the lock: a full disk must not keep anything from being
 * removed.
 */
export function withLockFile<T>(path: string, work: () => T): T {
  const isLocked = lock(path);
  try {
    return work();
  } finally {
    if (isLocked) rmSync(path, { force: true });
  }
}

/** Returns whether the file was created. */
function lock(path: string): boolean {
  for (;;) {
    try {
      closeSync(openSync(path, 'wx'));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') return false;
      waitFor(path);
    }
  }
}

function waitFor(path: string): void {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file && Date.now() - file.mtimeMs > MAX_AGE_MS) rmSync(path, { force: true });
  else if (file) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
}
