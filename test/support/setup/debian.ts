import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs that some tests need, beside Node. */
export interface Requirement {
  /** What the tests run against, for messages. */
  what: string;
  programs: readonly string[];
  /** The packages of Debian and Ubuntu that contain them. */
  packages: readonly string[];
}

/**
 * Checks that programs are installed, and installs them when it runs as root.
 *
 * @returns why they are missing, or `undefined` when they are installed
 * @throws Error when they are missing in CI, where every test must run
 */
export function requirePrograms({ what, programs, packages }: Requirement): string | undefined {
  const missing = () => programs.filter((program) => findProgram(program) === undefined);
  if (missing().length > 0) install(what, packages);
  const stillMissing = missing();
  if (stillMissing.length === 0) return undefined;
  const reason = `not installed: ${stillMissing.join(', ')} (Debian: apt-get install ${packages.join(' ')})`;
  if (process.env['CI']) throw new Error(`tests against ${what} must run here, but ${reason}`);
  printMessage(`tests against ${what} do not run; ${reason}`);
  return reason;
}

/** The path of a program on PATH, or `undefined`. */
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

/** Tries to install packages. A failure is only printed: the caller checks what is missing afterwards. */
function install(what: string, packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return;
  printMessage(`installing ${packages.join(', ')} for the tests against ${what}`);
  const apt = (...args: string[]) => {
    // In runlevel 1, packages do not start their servers.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // Another test run may hold the lock.
    execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      env,
      stdio: ['ignore', 2, 2],
    });
  };
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...packages);
  } catch (error) {
    printMessage(`that failed: ${error}`);
  }
}

function printMessage(line: string): void {
  process.stderr.write(`[test setup] ${line}\n`);
}
