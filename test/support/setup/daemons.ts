import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Reads process ids, and when its input ends, kills the processes and removes the folder. Its input ends when it is closed, or when
 * this process dies in any way. A process may still write a file while it is killed, so removing the folder may take several attempts.
 */
const REAPER = `
pids=
while read -r pid; do pids="$pids $pid"; done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
for attempt in 1 2 3 4 5; do rm -rf -- "$0" && exit; sleep 0.1; done`;

/** Programs that run in the background of a test run, in a temp folder of their own. None outlives the run, however it ends. */
export interface Daemons {
  folder: string;
  /** Aborts when a daemon ends by itself. */
  signal: AbortSignal;
  /** Starts a program that does not fork into the background. Its output goes to a file. */
  start(program: string, args: string[]): void;
  /** Runs a program to its end. Rejects when it fails, takes longer than `timeoutMs`, or a daemon ends meanwhile. */
  run(program: string, args: string[], timeoutMs: number): Promise<void>;
  /** The end of the output of each daemon. */
  output(): Promise<string>;
  /** Kills the daemons and removes the folder. */
  stop(): Promise<void>;
}

/**
 * @param name - the prefix of the folder's name
 * @param environment - returns the variables that each program gets beside those of this process
 */
export async function createDaemons(
  name: string,
  environment: (folder: string) => Record<string, string> = () => ({}),
): Promise<Daemons> {
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const env = { ...process.env, ...environment(folder) };
  const ended = new AbortController();
  const outputs = new Map<string, string>();
  // In a process group of its own: a Ctrl-C that ends this process must not end it first.
  const reaper = spawn('sh', ['-c', REAPER, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const reaped = once(reaper, 'exit');
  return {
    folder,
    signal: ended.signal,
    start(program, args) {
      const path = join(folder, `${program}.out`);
      const output = openSync(path, 'a');
      const daemon: ChildProcess = spawn(program, args, { env, stdio: ['ignore', output, output] });
      closeSync(output);
      outputs.set(program, path);
      daemon.once('error', (error) => ended.abort(error));
      daemon.once('exit', (code, signal) => ended.abort(new Error(`${program} ended: ${code ?? signal}`)));
      if (daemon.pid !== undefined) reaper.stdin.write(`${daemon.pid}\n`);
    },
    async run(program, args, timeoutMs) {
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(timeoutMs)]);
      try {
        await promisify(execFile)(program, args, { env, signal, killSignal: 'SIGKILL' });
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
    },
    async output() {
      const ends = [...outputs].map(async ([program, path]) => {
        return `--- ${program}\n${(await readFile(path, 'utf8')).slice(-2000)}`;
      });
      return (await Promise.all(ends)).join('\n');
    },
    async stop() {
      reaper.stdin.end();
      await reaped;
    },
  };
}

/** Ports of 127.0.0.1 that are free now. Another process may take one before it is used: the caller has to retry. */
export async function findFreePorts(count: number): Promise<number[]> {
  // All are open at the same time, so that no port is returned twice.
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  return await Promise.all(
    servers.map(async (server) => {
      await once(server, 'listening');
      const address = server.address();
      server.close();
      await once(server, 'close');
      if (address === null || typeof address === 'string') throw new Error('not a port');
      return address.port;
    }),
  );
}
