import { processTree, readProcess } from './process-tree.ts';

const INTERVAL_MS = 250;

/** The memory of a server over time. */
export interface MemoryWatch {
  /** The most so far, in bytes. */
  peakBytes(): number;
  stop(): void;
}

/** Watches the memory of a process and of all that it starts. */
export function watchMemory(pid: number): MemoryWatch {
  let peak = 0;
  const look = () => {
    // Linux itself keeps the peak of one process, so that no short one is missed.
    peak = Math.max(peak, treeMemoryBytes(pid), kilobytes(pid, 'status', 'VmHWM'));
  };
  const timer = setInterval(look, INTERVAL_MS);
  timer.unref();
  look();
  return {
    peakBytes() {
      look();
      return peak;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Returns the memory of a process and of all that it has started, in bytes: what is resident, with what they share counted once (`Pss`).
 * 0 after it has ended.
 */
export function treeMemoryBytes(pid: number): number {
  return processTree(pid).all.reduce((sum, one) => sum + kilobytes(one, 'smaps_rollup', 'Pss'), 0);
}

function kilobytes(pid: number, file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readProcess(pid, file))?.[1] ?? 0) * 1024;
}
