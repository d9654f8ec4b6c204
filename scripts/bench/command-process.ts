import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A command that runs in a process of its own. */
export interface CommandProcess {
  ended: Promise<CommandEnd>;
  /** Ends it as a power cut would: it has no say in it. */
  kill(): void;
}

export interface CommandEnd {
  /** `null`: it was killed. */
  status: number | null;
  /** What it said. */
  stderr: string;
  /** From before there was a process. */
  seconds: number;
  /** The most memory that it held, up to a few milliseconds before its end. */
  peakMemoryBytes: number;
}

/** Linux forgets the peak with the process. */
const LOOK_MS = 20;

/** Starts a command as `npm run` does, with nothing of this environment but what Node needs. */
export function startCommand(args: readonly string[], env: Record<string, string>): CommandProcess {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/edgepress.ts', ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...{ UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2', ...env },
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  let peakMemoryBytes = 0;
  const looking = setInterval(() => {
    peakMemoryBytes = Math.max(peakMemoryBytes, readPeak(child.pid));
  }, LOOK_MS);
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearInterval(looking);
      resolve({ status, stderr, seconds: (performance.now() - startedAtMs) / 1000, peakMemoryBytes });
    });
  });
  return { ended, kill: () => void child.kill('SIGKILL') };
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], env: Record<string, string>): Promise<CommandEnd> {
  return await startCommand(args, env).ended;
}

/** @throws Error unless a command ended with this status */
export function requireStatus({ status, stderr }: CommandEnd, wanted: number): void {
  if (status !== wanted) throw new Error(`ended with ${status} instead of ${wanted}:\n${stderr}`);
}

/** From Linux' own book-keeping; 0 once the process is no more. */
function readPeak(pid = 0): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
