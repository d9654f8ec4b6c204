import { readFileSync } from 'node:fs';

/** CPU time of a server so far, user and system, in milliseconds. */
export interface CpuTimes {
  /** Of all processes and threads. */
  all: number;
  /** Of the main threads of the processes that answer requests: together. */
  mainThreads: number;
  /** Of the process that runs the others; 0 without others. */
  primary: number;
}

/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

/** Reads the CPU times of a server from Linux' `/proc`. Processes that have ended are not counted. */
export function readCpuTimes(pid: number): CpuTimes {
  const workers = childrenOf(pid).filter(isNode);
  const own = readMs(`/proc/${pid}/stat`);
  if (workers.length === 0) return { all: own, mainThreads: mainThreadMs(pid), primary: 0 };
  const total = (read: (worker: number) => number) => workers.reduce((sum, worker) => sum + read(worker), 0);
  return {
    all: own + total((worker) => readMs(`/proc/${worker}/stat`)),
    mainThreads: total(mainThreadMs),
    primary: own,
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** tsx runs esbuild in a process of its own. */
function isNode(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(process.execPath);
}

function mainThreadMs(pid: number): number {
  return readMs(`/proc/${pid}/task/${pid}/stat`);
}

function readMs(path: string): number {
  const stat = readFileSync(path, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * MS_PER_TICK;
}
