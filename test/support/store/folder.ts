import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll } from 'vitest';
import { QUEUE_LEASE_KEY } from '../../../src/protocol/keys.ts';

const folders: string[] = [];
afterAll(async () => {
  await Promise.all(
    folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 10 })),
  );
});

/** Creates an empty folder, which is removed after the tests of the file. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-store-'));
  folders.push(folder);
  return folder;
}

/** Returns the keys of the files in a folder, without temp files and without the lease of whoever works on its queue. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp'));
  const keys = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return keys.filter((key) => key !== QUEUE_LEASE_KEY).sort();
}

export async function writeByHand(root: string, key: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, key)), { recursive: true });
  await writeFile(join(root, key), content);
}

/** Returns the names of the temp files of a store in this folder, without what it always keeps beside them. */
export async function tempFilesIn(root: string): Promise<string[]> {
  const names = await readdir(join(root, '.tmp'));
  return names.filter((name) => name !== 'reserve' && name !== 'changes');
}
