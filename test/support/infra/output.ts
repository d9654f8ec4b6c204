import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Makes a folder for the templates of an app, which goes when the tests of the file are over. */
export function makeOutput(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgepress-cdk-'));
  folders.push(folder);
  return folder;
}
