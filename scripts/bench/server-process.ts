import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A program that serves HTTP in a process of its own, as what is measured must not share one with what measures. */
export interface ServerProcess {
  url: string;
  /** The most memory that it has held so far, in bytes. */
  peakMemoryBytes(): Promise<number>;
  /** The processor time that it has taken so far, in milliseconds. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Linux counts processor time in hundredths of a second. */
const MS_A_TICK = 10;

/** Starts the service with a store of its own, logging as in production, to nowhere. */
export async function startService(env: Record<string, string>): Promise<ServerProcess> {
  const store = await mkdtemp(join(tmpdir(), 'edgepress-bench-'));
  const server = await startProcess('src/entry/server.ts', { PORT: '0', STORE: `file:${store}`, ...env });
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(store, { recursive: true, force: true });
    },
  };
}

/** Starts a program that logs `"url":"…"` once it listens. */
export async function startProcess(file: string, env: Record<string, string>): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    url: await urlOf(child),
    peakMemoryBytes: () => peakMemoryBytes(child.pid ?? 0),
    cpuMs: () => cpuMs(child.pid ?? 0),
    stop: () =>
      new Promise((stopped) => {
        child.once('close', () => stopped());
        child.kill('SIGTERM');
      }),
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  const output = child.stdout as NodeJS.ReadableStream;
  for await (const line of createInterface({ input: output })) {
    const [, url] = /"url":"([^"]+)"/.exec(line) ?? [];
    if (url === undefined) continue;
    output.resume();
    return url;
  }
  throw new Error('the server ended before it listened');
}

/** From Linux' own book-keeping. */
async function peakMemoryBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * MS_A_TICK;
}
