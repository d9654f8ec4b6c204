import { readFileSync } from 'node:fs';
import { processTree } from './process-tree.ts';

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
  const { workers, all } = processTree(pid);
  const total = (pids: readonly number[], path: (id: number) => string) =>
    pids.reduce((sum, id) => sum + readMs(path(id)), 0);
  const ofProcess = (id: number) => `/proc/${id}/stat`;
  const ofMainThread = (id: number) => `/proc/${id}/task/${id}/stat`;
  return {
    all: total(all, ofProcess),
    mainThreads: total(workers.length > 0 ? workers : [pid], ofMainThread),
    primary: workers.length > 0 ? readMs(ofProcess(pid)) : 0,
  };
}

/** @returns 0 for a process that has just ended */
function readMs(path: string): number {
  try {
    const stat = readFileSync(path, 'utf8');
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return (user + system) * MS_PER_TICK;
  } catch {
    return 0;
  }
}
