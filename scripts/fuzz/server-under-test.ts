import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { treeMemoryBytes } from '../bench/harness/memory.ts';
import { Finding } from './finding.ts';

/** A server in a process of its own. Its log is read as it comes. */
export interface ServerUnderTest {
  port: number;
  /** How it ended, if it has; it should not. */
  exit(): string | undefined;
  /** Memory of it and of the processes that it has started, in bytes. */
  memoryBytes(): number;
  /** Returns the lines of the log that tell of bugs, since the last call. */
  takeBugs(): string[];
  stop(): Promise<void>;
}

/** What `npm start` sets for Node. */
const NODE_ENV_VARIABLES = { UV_THREADPOOL_SIZE: '64', MALLOC_ARENA_MAX: '2' };
/** A line that tells of a bug: of level `error` or above, or what Node prints of errors that nobody handles. */
const BUG = /^\{"level":[56]0|unhandled|uncaught|^\s+at .+\.(ts|mjs):\d+|FATAL|free\(\)|malloc|assert/i;
/** What the log says at that level of other things than bugs. */
const NO_BUG = /"msg":"(the queue|a job|prewarm)/;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server, and waits until it listens.
 *
 * @param file - TypeScript, or what is built of it
 * @throws Finding if it ends before
 */
export async function startServerUnderTest(
  file: string,
  env: Record<string, string>,
): Promise<ServerUnderTest> {
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, file], {
    env: { ...process.env, ...NODE_ENV_VARIABLES, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let exit: string | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('close', (status, signal) => {
      exit = `the server ended with ${status ?? signal}`;
      running.delete(child);
      resolve();
    });
  });
  let bugs: string[] = [];
  let lastLine = '';
  const port = await new Promise<number>((resolve, reject) => {
    const onLine = (line: string) => {
      lastLine = line;
      const [, found] = /"url":"http:\/\/[^"]*:(\d+)"/.exec(line) ?? [];
      if (found !== undefined) resolve(Number(found));
      if (BUG.test(line) && !NO_BUG.test(line)) bugs.push(line);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    void ended.then(() => reject(new Finding(`${exit} before it listened: ${lastLine}`)));
  });
  return {
    port,
    exit: () => exit,
    memoryBytes: () => treeMemoryBytes(child.pid ?? 0),
    takeBugs() {
      const taken = bugs;
      bugs = [];
      return taken;
    },
    async stop() {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(kill);
    },
  };
}
