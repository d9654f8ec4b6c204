import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Checks the dependency rules in .dependency-cruiser.mjs, as part of `npm run check`. dependency-cruiser reports success when it
 * finds no modules at all, so this also fails when the number of modules in its summary is zero.
 */

const ROOT = join(import.meta.dirname, '../..');
/** By path rather than by name, so that it is found without npm, which adds the folder of such programs to PATH. */
const PROGRAM = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const FOLDERS = ['src', 'scripts', 'infra', 'test'];

function check(): number {
  if (!existsSync(PROGRAM)) {
    process.stderr.write(
      'dependency-cruiser is not installed: run npm ci. The dependency rules were not checked.\n',
    );
    return 1;
  }
  const { stdout, stderr, status, error } = spawnSync(process.execPath, [PROGRAM, ...FOLDERS], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (error) {
    process.stderr.write(`dependency-cruiser cannot be started: ${error.message}\n`);
    return 1;
  }
  process.stdout.write(stdout + stderr);
  const modules = Number(/(\d+) modules/.exec(stdout)?.[1] ?? 0);
  if (modules > 0) return status ?? 1;
  process.stderr.write('dependency-cruiser found no modules: the dependency rules were not checked.\n');
  return 1;
}

process.exitCode = check();
