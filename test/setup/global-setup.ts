import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { RADOSGW_PACKAGES, RADOSGW_PROGRAMS, type S3Server, startRadosgw } from './radosgw.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The S3 of this test run, or why there is none. */
    s3: S3Server | { missing: string };
  }
}

/** Starts what tests need beside Node: one S3 server for all of them. Returns what stops it. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (missingPrograms().length > 0) install();
  const missing = missingPrograms();
  if (missing.length > 0) {
    const reason = `not installed: ${missing.join(', ')} (Debian: apt-get install ${RADOSGW_PACKAGES.join(' ')})`;
    if (process.env['CI']) throw new Error(`S3 tests must run here, but ${reason}`);
    say(`tests against S3 do not run; ${reason}`);
    project.provide('s3', { missing: reason });
    return undefined;
  }
  const { server, stop } = await startRadosgw();
  project.provide('s3', server);
  return stop;
}

function missingPrograms(): string[] {
  return RADOSGW_PROGRAMS.filter((program) => !isInstalled(program));
}

function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs what is missing where we may. What that does not bring is found missing afterwards. */
function install(): void {
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) return;
  say(`installing ${RADOSGW_PACKAGES.join(', ')} for the tests against S3`);
  const apt = (...args: string[]) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // Another test run may be at it.
    execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      env,
      stdio: ['ignore', 2, 2],
    });
  };
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...RADOSGW_PACKAGES);
  } catch (error) {
    say(`that failed: ${error}`);
  }
}

function say(line: string): void {
  process.stderr.write(`[test setup] ${line}\n`);
}
