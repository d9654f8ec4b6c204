import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';

/** A program of the project that runs in a process of its own. */
export interface Program {
  process: ChildProcess;
  /** What it has printed so far. */
  output: { stdout: string; stderr: string };
  /** Its exit status, once it has ended. */
  ended: Promise<number | null>;
  /** Waits until its standard output, or the other stream, matches; fails when it ends before. */
  printed(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
}

/**
 * Runs a TypeScript file, or one that is built, with nothing of this environment but what Node needs. It is killed when the test ends.
 *
 * @param cwd - the current folder of the program; default: that of the tests
 */
export function runProgram(
  file: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  cwd?: string,
): Program {
  const loader = file.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  return runExecutable(process.execPath, [...loader, resolve(file), ...args], env, cwd);
}

/** Runs an executable file in the same way. */
export function runExecutable(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): Program {
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const ended = once(child, 'close').then(([status]) => status as number | null);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });

  async function printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(output[stream]);
      if (match) return match;
      const more = once(child[stream], 'data');
      const status = await Promise.race([more.then(() => 'more'), ended]);
      if (status !== 'more' && !pattern.test(output[stream])) {
        throw new Error(
          `ended with ${status} before it printed ${pattern}: ${output.stdout}${output.stderr}`,
        );
      }
    }
  }
  return { process: child, output, ended, printed };
}
