import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A program of the project that runs in a process of its own. */
export interface Program {
  process: ChildProcess;
  /** What it has printed so far. */
  output: { stdout: string; stderr: string };
  /** Its exit status, once it has ended. */
  ended: Promise<number | null>;
  /** Waits until its standard output matches; fails when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs a TypeScript file with nothing of this environment but what Node needs. */
export function runProgram(
  file: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
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
  return { process: child, output, ended, printed: (pattern) => printed(child, output, ended, pattern) };
}

async function printed(
  child: ChildProcess,
  output: Program['output'],
  ended: Promise<number | null>,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(output.stdout);
    if (match) return match;
    const more = once(child.stdout as NodeJS.ReadableStream, 'data');
    const status = await Promise.race([more.then(() => 'more'), ended]);
    if (status !== 'more' && !pattern.test(output.stdout)) {
      throw new Error(`ended with ${status} before it printed ${pattern}: ${output.stdout}${output.stderr}`);
    }
  }
}
