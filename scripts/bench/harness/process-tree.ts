import { readFileSync } from 'node:fs';

/** The processes of a server. Those that have ended are left out. */
export interface ProcessTree {
  /** Itself and all that it has started, directly or not. */
  all: number[];
  /** Those that serve its port beside it (`WORKERS`): they run the same program, unlike processes that encode. */
  workers: number[];
}

/** Reads the processes of a server from Linux' `/proc`. */
export function processTree(pid: number): ProcessTree {
  const program = readProcess(pid, 'cmdline');
  const workers = childrenOf(pid).filter((child) => readProcess(child, 'cmdline') === program);
  return { all: withDescendants(pid), workers };
}

function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}

function childrenOf(pid: number): number[] {
  return readProcess(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Returns a file of a process in `/proc`; nothing once it has ended. */
export function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
