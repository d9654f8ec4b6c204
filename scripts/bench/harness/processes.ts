import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** An HTTP server in a process of its own, so that its work is not measured together with that of the benchmark. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** The peak memory so far, in bytes. */
  peakMemoryBytes(): number;
  /** The CPU time so far, in milliseconds: of the process, and of its main thread. */
  cpuMs(): Promise<number>;
  mainThreadMs(): Promise<number>;
  stop(): Promise<void>;
}

/** A command of `scripts/edgepress.ts` in a process of its own. */
export interface CommandProcess {
  ended: Promise<CommandEnd>;
  /** Kills the process as a power cut would: it cannot react. */
  kill(): void;
}

export interface CommandEnd {
  /** `null`: it was killed. */
  status: number | null;
  stderr: string;
  /** From before the process was started. */
  seconds: number;
  /** The peak memory, up to a few milliseconds before the end. */
  peakMemoryBytes: number;
}

/** What `npm start` and `npm run prewarm` set for Node. */
const NODE_ENV_VARIABLES = { UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2' };
/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;
/** How often the peak memory of a command is read: Linux drops it when the process ends. */
const MEMORY_INTERVAL_MS = 20;

/** Starts the service with a new store, which is deleted when it stops. It logs as in production; the log is discarded. */
export async function startService(env: Record<string, string>): Promise<ServerProcess> {
  const store = await mkdtemp(join(tmpdir(), 'edgepress-bench-'));
  const server = await startServer('src/entry/server.ts', { PORT: '0', STORE: `file:${store}`, ...env });
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(store, { recursive: true, force: true });
    },
  };
}

/**
 * Starts a TypeScript program that logs `"url":"…"` when it listens.
 *
 * @throws Error when it ends before that
 */
export async function startServer(file: string, env: Record<string, string>): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    env: { ...process.env, ...NODE_ENV_VARIABLES, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    url: await readUrl(child),
    pid: child.pid ?? 0,
    peakMemoryBytes: () => readPeakMemoryBytes(child.pid),
    cpuMs: () => readCpuMs(`/proc/${child.pid}/stat`),
    mainThreadMs: () => readCpuMs(`/proc/${child.pid}/task/${child.pid}/stat`),
    stop: () =>
      new Promise((stopped) => {
        child.once('close', () => stopped());
        child.kill('SIGTERM');
      }),
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  const output = child.stdout as NodeJS.ReadableStream;
  for await (const line of createInterface({ input: output })) {
    const [, url] = /"url":"([^"]+)"/.exec(line) ?? [];
    if (url === undefined) continue;
    output.resume();
    return url;
  }
  throw new Error('the server ended before it listened');
}

/** Starts a command as `npm run` does. Of this process's environment it gets only what Node needs. */
export function startCommand(args: readonly string[], env: Record<string, string>): CommandProcess {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/edgepress.ts', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...NODE_ENV_VARIABLES, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  let peakMemoryBytes = 0;
  const timer = setInterval(() => {
    peakMemoryBytes = Math.max(peakMemoryBytes, readPeakMemoryBytes(child.pid));
  }, MEMORY_INTERVAL_MS);
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearInterval(timer);
      resolve({ status, stderr, seconds: (performance.now() - startedAtMs) / 1000, peakMemoryBytes });
    });
  });
  return { ended, kill: () => void child.kill('SIGKILL') };
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], env: Record<string, string>): Promise<CommandEnd> {
  return await startCommand(args, env).ended;
}

/** @throws Error unless the command ended with this status */
export function requireStatus({ status, stderr }: CommandEnd, expected: number): void {
  if (status !== expected) throw new Error(`ended with ${status} instead of ${expected}:\n${stderr}`);
}

/** The peak resident memory, from Linux' `/proc`; 0 after the process has ended. */
function readPeakMemoryBytes(pid = 0): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** User and system time, from Linux' `/proc`. */
async function readCpuMs(path: string): Promise<number> {
  const stat = await readFile(path, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * MS_PER_TICK;
}
