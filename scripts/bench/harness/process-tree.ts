import { readFileSync } from 'node:fs';

/**
 * Returns the memory of a process and of all that it has started, in bytes: their resident memory, with what they share counted once
 * (`Pss` of Linux' `/proc/PID/smaps_rollup`).
 */
export function treeMemoryBytes(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + memoryOf(one), 0);
}

/** Returns the process and its descendants. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function memoryOf(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** The process may have ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
