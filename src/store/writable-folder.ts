import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryName } from './temporaries.ts';

/**
 * Makes a folder, and sees that it can be written to: better to say so at the start than at each put.
 *
 * @throws Error when it cannot be made, is no folder, or cannot be written to
 */
export function makeWritableFolder(path: string): void {
  makeFolder(path);
  const probe = join(path, temporaryName());
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
