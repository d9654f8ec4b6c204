import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A mirror that does not answer must not hold up the tests for ever. */
const MAX_INSTALL_MS = 600_000;

/** Programs that some tests need, beside Node. */
export interface Requirement {
  /** What the tests run against, for messages. */
  what: string;
  programs: readonly string[];
  /** The packages of Debian and Ubuntu that contain them. */
  packages: readonly string[];
}

/**
 * Installs what is missing, when it runs as root: all at once, which takes a fraction of the time of one after the other. A failure is only
 * printed; {@link requirePrograms} says what is missing afterwards.
 */
export async function installPrograms(requirements: readonly Requirement[]): Promise<void> {
  const incomplete = requirements.filter(({ programs }) => missingOf(programs).length > 0);
  if (incomplete.length === 0 || process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return;
  try {
    await updateLists();
    if ((await install(incomplete.flatMap(({ packages }) => packages))) || incomplete.length === 1) return;
    // One package that this release does not have must not keep the others away.
    for (const { packages } of incomplete) await install(packages);
  } catch (error) {
    printMessage(`the lists of packages could not be updated: ${error}`);
  }
}

/**
 * Checks that programs are installed.
 *
 * @returns why they are missing, or `null` when they are installed
 * @throws Error when they are missing in CI, where every test must run
 */
export function requirePrograms({ what, programs, packages }: Requirement): string | null {
  const missing = missingOf(programs);
  if (missing.length === 0) return null;
  const reason = `not installed: ${missing.join(', ')} (Debian: apt-get install ${packages.join(' ')})`;
  if (process.env['CI']) throw new Error(`tests against ${what} must run here, but ${reason}`);
  printMessage(`tests against ${what} do not run; ${reason}`);
  return reason;
}

function missingOf(programs: readonly string[]): string[] {
  return programs.filter((program) => findProgram(program) === undefined);
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

let updating: Promise<void> | undefined;

/** Updates the lists of packages, once for a test run. */
async function updateLists(): Promise<void> {
  updating ??= apt('update');
  await updating;
}

/** Returns whether all packages are installed now. */
async function install(packages: readonly string[]): Promise<boolean> {
  printMessage(`installing ${packages.join(', ')}`);
  try {
    // Files need not outlive a crash of this machine: waiting for the disk takes half of the time.
    await apt(
      'install',
      '-y',
      '--no-install-recommends',
      '-o',
      'Dpkg::Options::=--force-unsafe-io',
      ...packages,
    );
    return true;
  } catch (error) {
    printMessage(`that failed: ${error}`);
    return false;
  }
}

/** @throws Error if it fails */
async function apt(...args: string[]): Promise<void> {
  // In runlevel 1, packages do not start their servers.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  // Another test run may hold the lock.
  const all = ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args];
  const [status, signal] = await once(
    spawn('apt-get', all, { env, stdio: ['ignore', 2, 2], timeout: MAX_INSTALL_MS }),
    'exit',
  );
  if (status !== 0) throw new Error(`apt-get ended with ${status ?? signal}`);
}

function printMessage(line: string): void {
  process.stderr.write(`[test setup] ${line}\n`);
}
