import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';

/** A file system of a few megabytes. */
export interface SmallDisk {
  /** Its root. */
  folder: string;
  /** Fills it to the last page. Returns a function that makes room again. */
  fill(): () => void;
}

const SIZE = '40m';

/** `describe` for tests that need a small disk, which only root can mount. Without it they are skipped, and their title says why. */
export function describeSmallDisk(name: string, tests: (disk: SmallDisk) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'edgepress-disk-'));
  const missing = mount(folder);
  afterAll(() => {
    if (missing === undefined) execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const disk: SmallDisk = { folder, fill: () => fill(join(folder, 'ballast')) };
  if (missing === undefined) describe(name, () => tests(disk));
  else describe.skip(`${name} — skipped, ${missing}`, () => tests(disk));
}

/** Returns why it could not be mounted; `undefined` when it was. */
function mount(folder: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `no tmpfs can be mounted (${String((error as Error).message)
      .trim()
      .split('\n')
      .at(-1)}): run as root`;
  }
}

function fill(path: string): () => void {
  const fd = openSync(path, 'a');
  for (const bytes of [1_048_576, 65_536, 4096]) {
    const part = Buffer.alloc(bytes, 1);
    try {
      for (;;) if (writeSync(fd, part) < bytes) break;
    } catch {
      // Full: no part of this size fits.
    }
  }
  closeSync(fd);
  return () => rmSync(path);
}
