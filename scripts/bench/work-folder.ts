import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';

/** Where folders can be that no disk slows down, if there is such a place. */
export function fastestParent(): string {
  return existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir();
}

/** Makes a new folder, which is gone with all that is in it once `use` has ended. */
export async function withFolder<T>(parent: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, 'edgepress-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
