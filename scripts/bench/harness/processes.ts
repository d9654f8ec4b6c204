import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type CpuTimes, readCpuTimes } from './cpu-times.ts';
import { watchMemory } from './memory.ts';
import { readProcess } from './process-tree.ts';

/** An HTTP server in a process of its own, so that its work is not measured together with that of the benchmark. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** The peak memory so far of all of its processes together, in bytes. */
  peakMemoryBytes(): number;
  cpuTimes(): CpuTimes;
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
  /** The peak memory of all of its processes together. */
  peakMemoryBytes: number;
}

/** What `npm start` and `npm run prewarm` set for Node. */
const NODE_ENV_VARIABLES = { UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2' };
/**
 * Runs a server, sends the first line with its URL to descriptor 3, and discards the rest as it comes. The server is in the place of the
 * shell, so that it has its process id, and its log goes to a pipe that is read by a process of its own.
 */
const READ_LOG = `exec "$@" > >(grep -m1 '"url":"' >&3; exec cat >/dev/null 3>&-) 3>&-`;

/** No server outlives this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const server of running) server.kill();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Starts the service with a new store, which is deleted when it stops. It logs as in production; the log is discarded. */
export async function startService(env: Record<string, string>): Promise<ServerProcess> {
  const store = await mkdtemp(join(tmpdir(), 'edgepress-bench-'));
  const server = await startServer(bundledServer(), { PORT: '0', STORE: `file:${store}`, ...env });
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(store, { recursive: true, force: true });
    },
  };
}

let bundle: string | undefined;

/** Builds what `npm start` runs, once. Returns the absolute path of its file, by which processes that it forks are started, too. */
export function bundledServer(): string {
  if (!bundle) execFileSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' });
  bundle = resolve('dist/server.mjs');
  return bundle;
}

/**
 * Starts a program, in TypeScript or bundled, that logs `"url":"…"` when it listens.
 *
 * @throws Error when it ends before that
 */
export async function startServer(file: string, env: Record<string, string>): Promise<ServerProcess> {
  const program = file.endsWith('.ts') ? ['--import', 'tsx', file] : [file];
  const child = spawn('bash', ['-c', READ_LOG, 'bash', process.execPath, ...program], {
    env: { ...process.env, ...NODE_ENV_VARIABLES, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  const pid = child.pid ?? 0;
  const memory = watchMemory(pid);
  child.once('close', () => memory.stop());
  return {
    url: await readUrl(child),
    pid,
    peakMemoryBytes: () => memory.peakBytes(),
    cpuTimes: () => readCpuTimes(pid),
    stop: () =>
      new Promise((stopped) => {
        child.once('close', () => stopped());
        child.kill('SIGTERM');
      }),
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  const line = await text(child.stdio[3] as NodeJS.ReadableStream);
  const [, url] = /"url":"([^"]+)"/.exec(line) ?? [];
  if (url === undefined) throw new Error('the server ended before it listened');
  return url;
}

/**
 * Starts a command as `npm run` does. Of this process's environment it gets only what Node needs.
 *
 * @param options.ownSession - as from another terminal: Linux divides its CPU time between sessions first (sched(7), "The autogroup feature")
 */
export function startCommand(
  args: readonly string[],
  env: Record<string, string>,
  { ownSession = false }: { ownSession?: boolean } = {},
): CommandProcess {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/edgepress.ts', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...NODE_ENV_VARIABLES, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: ownSession,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  if (ownSession) copySessionPriority(child.pid ?? 0);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const memory = watchMemory(child.pid ?? 0);
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      memory.stop();
      const seconds = (performance.now() - startedAtMs) / 1000;
      resolve({ status, stderr, seconds, peakMemoryBytes: memory.peakBytes() });
    });
  });
  return { ended, kill: () => void child.kill('SIGKILL') };
}

/** Lets the session of a process have the priority of this one. */
function copySessionPriority(pid: number): void {
  const [, priority = '0'] = /nice (-?\d+)/.exec(readProcess(process.pid, 'autogroup')) ?? [];
  if (priority !== '0') writeFileSync(`/proc/${pid}/autogroup`, priority);
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], env: Record<string, string>): Promise<CommandEnd> {
  return await startCommand(args, env).ended;
}

/** @throws Error unless the command ended with this status */
export function requireStatus({ status, stderr }: CommandEnd, expected: number): void {
  if (status !== expected) throw new Error(`ended with ${status} instead of ${expected}:\n${stderr}`);
}
