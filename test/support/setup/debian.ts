import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that some tests need beside Node. */
export interface Requirement {
  /** What the tests are against, for messages. */
  what: string;
  programs: readonly string[];
  /** The packages that have them, in Debian and Ubuntu. */
  packages: readonly string[];
}

/**
 * Sees to it that programs are there, installing them where we may.
 *
 * @returns why they are missing, or `undefined` when they are there
 * @throws Error when they are missing in CI, where every test must run
 */
export function requirePrograms({ what, programs, packages }: Requirement): string | undefined {
  const missing = () => programs.filter((program) => findProgram(program) === undefined);
  if (missing().length > 0) install(what, packages);
  const stillMissing = missing();
  if (stillMissing.length === 0) return undefined;
  const reason = `not installed: ${stillMissing.join(', ')} (Debian: apt-get install ${packages.join(' ')})`;
  if (process.env['CI']) throw new Error(`tests against ${what} must run here, but ${reason}`);
  say(`tests against ${what} do not run; ${reason}`);
  return reason;
}

/** The path of a program, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What this does not bring is found missing afterwards. */
function install(what: string, packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return;
  say(`installing ${packages.join(', ')} for the tests against ${what}`);
  const apt = (...args: string[]) => {
    // Runlevel 1: servers that come with packages are not started.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // Another test run may be at it.
    execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      env,
      stdio: ['ignore', 2, 2],
    });
  };
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...packages);
  } catch (error) {
    say(`that failed: ${error}`);
  }
}

function say(line: string): void {
  process.stderr.write(`[test setup] ${line}\n`);
}
