import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { forwardToStandardError } from '../../forward-to-standard-error.ts';

export interface ProgramOptions {
  /** Concurrent encodes of one image. */
  concurrency: number;
  /** The limit of pixels of a source. */
  maxPixels: number;
  /** How far it stands back for this process: 0 not at all, 19 wholly (`nice`). */
  niceness: number;
  /**
   * Whether it stands back for other sessions, too. Linux may divide CPU time between sessions first, and only within one by the priority of
   * processes: then a prewarm in one terminal would get as much as the server in another. See sched(7), "The autogroup feature".
   */
  ownSession: boolean;
}

export interface Program {
  child: ChildProcess;
  /** The connection to it. */
  socket: Socket;
  /** Returns the CPU time that it has taken, in seconds; `undefined` where that is not known: only Linux says. */
  cpuSeconds(): number | undefined;
}

/** The descriptor of the connection, on the side of the program. */
export const SERVER_FD = 3;

/**
 * The memory that the program may allocate, in KiB: twice what decoding takes at most. A decoder that asks for more and more then ends its
 * process, and not the machine.
 */
const MAX_DATA_KIB = 2 * 1024 * 1024;
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW;
/** When memory runs out, Linux ends these processes first, and not the server. */
const OOM_SCORE_ADJUSTMENT = '500';
/**
 * The environment of the program. It decodes what strangers sent, so it has none of the server's secrets.
 *
 * What the kernel gives to a process it fills with zeros first, page by page. So glibc keeps what is freed for the next image: one arena for
 * all threads, since they work on the same image, and no blocks of their own from the kernel but very large ones. Pages of 2 MiB, where Linux
 * has them (`/sys/kernel/mm/transparent_hugepage/enabled` is `madvise` or `always`), are quicker to get and to address. Together that is 15 ms
 * of CPU time an image of 14 megapixels, a twelfth of a miss. See mallopt(3), and "Memory Allocation Tunables" of glibc.
 */
const ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: String(64 * 2 ** 20),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  UV_THREADPOOL_SIZE: '4',
  ...pick(['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_OPTIONS', 'LD_LIBRARY_PATH']),
};

const SHELL = '/bin/sh';
const BUNDLED = fileURLToPath(new URL('encoder-process.mjs', import.meta.url));
const TYPESCRIPT = fileURLToPath(new URL('process-main.ts', import.meta.url));

/** Returns the arguments of Node that run the program: bundled beside this code, or as TypeScript. */
function programArguments(): string[] {
  if (existsSync(BUNDLED)) return [BUNDLED];
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, TYPESCRIPT];
}

/**
 * Starts the program of an encoder process, with limits of its own.
 *
 * @returns the program; if it could not be started, its process has no `pid`, and an `error` event follows
 * @throws Error if the machine has no memory for it
 */
export function spawnProgram({ concurrency, maxPixels, niceness, ownSession }: ProgramOptions): Program {
  const command = [
    process.execPath,
    '--expose-gc',
    ...programArguments(),
    String(concurrency),
    String(maxPixels),
  ];
  // Node has no call that limits memory; the shell does, and is replaced by the program.
  const limited = ['-c', `ulimit -d ${MAX_DATA_KIB}; exec "$@"`, 'sh', ...command];
  const [file = '', ...args] = existsSync(SHELL) ? [SHELL, ...limited] : command;
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: ENVIRONMENT,
    detached: ownSession,
  });
  const { pid, stderr } = child;
  if (stderr) forwardToStandardError(stderr);
  if (pid !== undefined) {
    standBack(pid, niceness);
    if (ownSession) standBackAsSession(pid, niceness);
  }
  return {
    child,
    // When no more files can be open, Node makes no pipes.
    socket: (child.stdio?.[SERVER_FD] ?? new Socket()) as Socket,
    cpuSeconds: () => (pid === undefined ? undefined : readCpuSeconds(pid)),
  };
}

function pick(names: readonly string[]): Record<string, string> {
  // biome-ignore lint/style/noProcessEnv: it is passed on, not read.
  const entries = names.map((name) => [name, process.env[name]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Where the system does not allow it, the process goes without. */
function standBack(pid: number, niceness: number): void {
  try {
    setPriority(pid, Math.min(getPriority() + niceness, LOWEST_PRIORITY));
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJUSTMENT);
  } catch {}
}

/** Linux takes one such change in 100 ms, of all processes that are not root's. */
const SESSION_RETRY_MS = 100;
const SESSION_TRIES = 30;

/** Where there are no such groups, as in containers and services, there is nothing to do. */
function standBackAsSession(pid: number, niceness: number, triesLeft = SESSION_TRIES): void {
  try {
    const [, own = '0'] = /nice (-?\d+)/.exec(readFileSync('/proc/self/autogroup', 'latin1')) ?? [];
    writeFileSync(`/proc/${pid}/autogroup`, String(Math.min(Number(own) + niceness, LOWEST_PRIORITY)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || triesLeft === 0) return;
    const delayMs = SESSION_RETRY_MS * (1 + Math.random());
    setTimeout(standBackAsSession, delayMs, pid, niceness, triesLeft - 1).unref();
  }
}

/** Linux counts in ticks of a hundredth of a second, whatever its kernel counts in: USER_HZ. See proc_pid_stat(5), `utime` and `stime`. */
const TICKS_PER_SECOND = 100;
const UTIME_FIELD = 11;

function readCpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in parentheses, may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
